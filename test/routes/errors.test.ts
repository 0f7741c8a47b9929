import { describe, expect, test, vi } from 'vitest';
import { createApp, DEFAULT_APP_CONFIG } from '../../src/app.ts';
import { GlimpseError } from '../../src/errors.ts';
import { HANDLE, recordingPipeline } from './recording-pipeline.ts';
import type { RecordingPipeline, Script } from './recording-pipeline.ts';

const LIMIT = 4096;
const config = { ...DEFAULT_APP_CONFIG, max_body_bytes: LIMIT };

interface ErrorReply {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
  readonly headers: Headers;
}

async function failed(path: string, init: RequestInit, script?: Script): Promise<ErrorReply> {
  const pipeline: RecordingPipeline = recordingPipeline(script);
  const response = await createApp(() => pipeline, config).request(path, { method: 'POST', ...init });
  if (!script) expect(pipeline.queries).toEqual([]);
  const body = (await response.json()) as { error: Omit<ErrorReply, 'status' | 'headers'> };
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  return { status: response.status, headers: response.headers, ...body.error };
}

const typed = (type: string, body: BodyInit): RequestInit => ({ body, headers: { 'content-type': type } });
const json = (body: unknown): RequestInit => typed('application/json', JSON.stringify(body));
const image = typed('image/png', new Uint8Array([1, 2, 3]));
const good = { image: HANDLE, prompt: 'What is it?' };

function form(...fields: readonly (readonly [string, string | Blob])[]): RequestInit {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return { body: data };
}

// As bytes: undici throws past its caller when a form's own stream is cancelled.
const largeForm = await encoded(form(['image', new Blob([new Uint8Array(LIMIT)])]));

async function encoded(init: RequestInit): Promise<RequestInit> {
  const request = new Request('http://x/', { method: 'POST', ...init });
  return typed(request.headers.get('content-type') ?? '', await request.arrayBuffer());
}

type Case = readonly [
  name: string,
  path: string,
  init: RequestInit,
  status: number,
  code: string,
  param: string | null,
];

const cases: readonly Case[] = [
  ['broken JSON', '/v1/query', typed('application/json', '{"image":'), 400, 'invalid_json', null],
  ['empty JSON body', '/v1/query', typed('application/json', ''), 400, 'invalid_json', null],
  ['JSON that is no object', '/v1/query', json([good]), 400, 'invalid_request', null],
  ['JSON null', '/v1/query', json(null), 400, 'invalid_request', null],
  ['no content type', '/v1/query', {}, 415, 'unsupported_media_type', null],
  ['text', '/v1/query', typed('text/plain', 'hello'), 415, 'unsupported_media_type', null],
  ['urlencoded form', '/v1/query', typed('application/x-www-form-urlencoded', 'prompt=a'), 415, 'unsupported_media_type', null], // prettier-ignore
  [
    'broken form',
    '/v1/query',
    typed('multipart/form-data; boundary=x', 'nothing'),
    400,
    'invalid_request',
    null,
  ],
  [
    'form without boundary',
    '/v1/query',
    typed('multipart/form-data', 'nothing'),
    400,
    'invalid_request',
    null,
  ],
  ['no image', '/v1/query', json({ prompt: 'a' }), 400, 'missing_image', 'image'],
  ['empty image text', '/v1/query', json({ ...good, image: '' }), 400, 'missing_image', 'image'],
  [
    'empty data URL',
    '/v1/query',
    json({ ...good, image: 'data:image/png;base64,' }),
    400,
    'missing_image',
    'image',
  ],
  [
    'empty image file',
    '/v1/query',
    form(['prompt', 'a'], ['image', new Blob([])]),
    400,
    'missing_image',
    'image',
  ],
  ['empty image body', '/v1/query?prompt=a', typed('image/png', ''), 400, 'missing_image', 'image'],
  ['form without image', '/v1/query', form(['prompt', 'a']), 400, 'missing_image', 'image'],
  ['no prompt', '/v1/query', json({ image: HANDLE }), 400, 'missing_prompt', 'prompt'],
  ['blank prompt', '/v1/query', json({ ...good, prompt: ' \n' }), 400, 'missing_prompt', 'prompt'],
  ['image body without prompt', '/v1/query', image, 400, 'missing_prompt', 'prompt'],
  ['JSON that is not UTF-8', '/v1/query', typed('application/json', new Uint8Array([0x22, 0xff, 0x22])), 400, 'invalid_json', null], // prettier-ignore
  ['compressed body', '/v1/query', { body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type', null], // prettier-ignore
  ['image of no type', '/v1/query?prompt=a', typed('application/x-www-form-urlencoded', 'x'), 415, 'unsupported_media_type', null], // prettier-ignore
  ['unknown option within', '/v1/embeddings', json({ model: 'm', input: { type: 'image_url', image_url: { url: HANDLE, foo: 1 } } }), 400, 'unknown_option', 'input.image_url.foo'], // prettier-ignore
  ['wrong one of several inputs', '/v1/embeddings', json({ model: 'm', input: [HANDLE, 5] }), 400, 'invalid_value', 'input.1'], // prettier-ignore
  ['bad base64 in one of several', '/v1/embeddings', json({ model: 'glimpse-10m', input: [HANDLE, 'data:image/png;base64,@@'] }), 400, 'invalid_value', 'input.1'], // prettier-ignore
  ['image is a number', '/v1/query', json({ ...good, image: 5 }), 400, 'invalid_value', 'image'],
  ['short handle', '/v1/query', json({ ...good, image: 'sha256:abc' }), 400, 'invalid_value', 'image'],
  [
    'data URL not base64',
    '/v1/query',
    json({ ...good, image: 'data:image/png,abc' }),
    400,
    'invalid_value',
    'image',
  ],
  [
    'bad base64',
    '/v1/query',
    json({ ...good, image: 'data:image/png;base64,a$b' }),
    400,
    'invalid_value',
    'image',
  ],
  ['unknown option', '/v1/query', json({ ...good, temprature: 1 }), 400, 'unknown_option', 'temprature'],
  ['unknown option in a form', '/v1/query', form(['image', HANDLE], ['prompt', 'a'], ['foo', '1'], ['foo', '2']), 400, 'unknown_option', 'foo'], // prettier-ignore
  [
    'unknown option in the query',
    '/v1/query?prompt=a&constructor=1',
    image,
    400,
    'unknown_option',
    'constructor',
  ],
  ['__proto__', '/v1/query', typed('application/json', `{"image":"${HANDLE}","prompt":"a","__proto__":1}`), 400, 'unknown_option', '__proto__'], // prettier-ignore
  ['prompt for a caption', '/v1/caption', json(good), 400, 'unknown_option', 'prompt'],
  ['query string beside JSON', '/v1/query?temperature=1', json(good), 400, 'unknown_option', 'temperature'],
  ['image in query and body', `/v1/query?prompt=a&image=${HANDLE}`, image, 400, 'invalid_request', 'image'],
  [
    'text for a number in JSON',
    '/v1/query',
    json({ ...good, temperature: '1' }),
    400,
    'invalid_value',
    'temperature',
  ],
  ['no number in a query string', '/v1/query?prompt=a&top_k=many', image, 400, 'invalid_value', 'top_k'],
  ['fraction for an integer', '/v1/query?prompt=a&top_k=1.5', image, 400, 'invalid_value', 'top_k'],
  ['out of range', '/v1/query', json({ ...good, top_p: 1.5 }), 400, 'invalid_value', 'top_p'],
  ['empty number in a form', '/v1/query', form(['image', HANDLE], ['prompt', 'a'], ['seed', '']), 400, 'invalid_value', 'seed'], // prettier-ignore
  ['wrong item of a list', '/v1/query', json({ ...good, stop_strings: ['a', 1] }), 400, 'invalid_value', 'stop_strings.1'], // prettier-ignore
  ['option given twice', '/v1/query?prompt=a&prompt=b', image, 400, 'invalid_value', 'prompt'],
  ['two image files', '/v1/query', form(['image', new Blob(['a'])], ['image', new Blob(['b'])], ['prompt', 'a']), 400, 'invalid_value', 'image'], // prettier-ignore
  ['file and handle', '/v1/query', form(['image', new Blob(['a'])], ['image', HANDLE], ['prompt', 'a']), 400, 'invalid_value', 'image'], // prettier-ignore
  ['file for the prompt', '/v1/query', form(['image', HANDLE], ['prompt', new Blob(['a'])]), 400, 'invalid_value', 'prompt'], // prettier-ignore
  [
    'streamed beams',
    '/v1/query',
    json({ ...good, num_beams: 2, stream: true }),
    400,
    'invalid_value',
    'stream',
  ],
  [
    'large body',
    '/v1/query?prompt=a',
    typed('image/png', new Uint8Array(LIMIT + 1)),
    413,
    'body_too_large',
    null,
  ],
  ['large JSON', '/v1/query', json({ ...good, prompt: 'a'.repeat(LIMIT) }), 413, 'body_too_large', null],
  ['large form', '/v1/query', largeForm, 413, 'body_too_large', null],
];

describe('refused requests', () => {
  test.each(cases)('%s', async (_, path, init, status, code, param) => {
    const reply = await failed(path, init);
    expect(reply).toMatchObject({ status, code, param, type: 'invalid_request_error' });
    if (param) expect(reply.message).toContain(param);
  });
});

test('a body of exactly the limit passes', async () => {
  const app = createApp(() => recordingPipeline(), config);
  const init = { method: 'POST', ...typed('image/png', new Uint8Array(LIMIT)) };
  expect((await app.request('/v1/query?prompt=a', init)).status).toBe(200);
});

test('the limit holds for a body whose length nobody gives or that lies about it', async () => {
  let sent = 0;
  const endless = new ReadableStream({
    type: 'bytes', // as bodies that come over the network are
    pull(controller) {
      sent += 1024;
      controller.enqueue(new Uint8Array(1024));
    },
  });
  const headers = { 'content-type': 'image/png', 'content-length': '10' };
  const request = new Request('http://x/v1/query?prompt=a', { method: 'POST', body: endless, headers, duplex: 'half' } as RequestInit); // prettier-ignore
  const response = await createApp(() => recordingPipeline(), config).request(request);
  expect(response.status).toBe(413);
  expect(sent).toBeLessThan(LIMIT + 8 * 1024);
});

test('what the caller sent is told in short', async () => {
  const name = 'x'.repeat(2000);
  const { message, param } = await failed('/v1/query', json({ ...good, [name]: 1 }));
  expect([message.length, param?.length]).toEqual([1001, 201]);
});

test('the remedy is named', async () => {
  const { message: ofForm } = await failed('/v1/query', typed('multipart/form-data', 'x'));
  expect(ofForm).toContain('names no boundary');
  const binary = Buffer.from(
    '--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n\xff\r\n--x--',
    'latin1',
  );
  const { message: ofPart } = await failed('/v1/query', typed('multipart/form-data; boundary=x', binary));
  expect(ofPart).toContain('image is not UTF-8: a file needs a filename');
  const { message: ofEmpty } = await failed('/v1/query?prompt=a', typed('image/png', ''));
  expect(ofEmpty).toBe('The image is empty: send a complete JPEG or PNG file.');
  const { message: ofNone } = await failed('/v1/embeddings', json({ input: HANDLE }));
  expect(ofNone).toBe('model: it is missing.');
  const { message: ofType } = await failed('/v1/query', json({ ...good, image: 5 }));
  expect(ofType).toBe('image: Invalid input: expected string, received number.');
  expect((await failed('/v1/query', json({ ...good, image: 'photo.png' }))).message).toContain('data URL');
  expect((await failed('/v1/query', json({ ...good, max_tokens: 3 }))).message).toContain('max_new_tokens');
  expect((await failed('/v1/query', typed('text/plain', 'x'))).message).toContain('multipart/form-data');
});

describe('what the pipeline throws', () => {
  test.each([
    ['image_not_found', 404, 'invalid_request_error'],
    ['image_too_large', 413, 'invalid_request_error'],
    ['unsupported_image', 415, 'invalid_request_error'],
    ['invalid_image', 422, 'invalid_request_error'],
    ['context_length_exceeded', 400, 'invalid_request_error'],
    ['bundle_invalid', 500, 'server_error'],
    ['shard_unavailable', 503, 'server_error'],
  ] as const)('%s is a %i', async (code, status, type) => {
    const throwing: Script = () => Promise.reject(new GlimpseError(code, 'what to do', { param: 'image' }));
    for (const stream of [false, true]) {
      const reply = await failed('/v1/query', json({ ...good, stream }), throwing);
      expect(reply).toMatchObject({ status, code, type, message: 'what to do', param: 'image' });
      expect(reply.headers.has('retry-after')).toBe(status === 503);
    }
  });

  test('an error that nobody foresaw is a 500 without details, and logged', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const reply = await failed('/v1/query', json(good), () =>
      Promise.reject(new TypeError('secret at /srv/x.ts')),
    );
    expect(reply).toMatchObject({ status: 500, code: 'internal_error', type: 'server_error', param: null });
    expect(reply.message).not.toContain('secret');
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});

test('an unknown path is a 404 and a wrong method a 405 that says which it takes', async () => {
  expect(await failed('/v1/nothing', json(good))).toMatchObject({ status: 404, code: 'route_not_found' });
  const reply = await failed('/v1/query', { method: 'GET' });
  expect(reply).toMatchObject({ status: 405, code: 'method_not_allowed' });
  expect(reply.headers.get('allow')).toBe('POST');
  expect((await failed('/health', json({}))).headers.get('allow')).toBe('GET, HEAD');
});
