import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, MAX_JSON_BYTES } from '../../src/max-body-bytes.ts';
import { startBareWorker, type BareWorker } from '../../scripts/torture/bare-worker.ts';
import { SUREST } from '../model/default-model.ts';
import { form, json, photo, result } from '../workerd/worker.ts';

let worker: BareWorker;
let rocket: Buffer<ArrayBuffer>;
let surest: Buffer<ArrayBuffer>;
beforeAll(async () => {
  [worker, rocket, surest] = await Promise.all([startBareWorker(), photo('rocket.jpg'), photo(SUREST.file)]);
});
afterAll(() => worker.close());

const send = (init: RequestInit, path = '/v1/query') => fetch(worker.url + path, init);
const asked = async (init: RequestInit, path?: string) => {
  const { status, body } = await result(send(init, path));
  return { status, ...(body as { error?: { code: string; param: string | null; message: string } }) };
};
const image = () => new Blob([rocket]);
const dataUrl = (bytes = rocket) => `data:image/jpeg;base64,${bytes.toString('base64')}`;

/** What a raw HTTP/1.1 conversation gets for an answer: the status and whatever came with it. */
function raw(head: readonly string[], body: (write: (chunk: Uint8Array | string) => void) => void) {
  const { hostname, port } = new URL(worker.url);
  return new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${[...head, `Host: ${hostname}`, 'Connection: close'].join('\r\n')}\r\n\r\n`);
      body((chunk) => void socket.write(chunk));
    });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)));
    socket.setTimeout(20_000, () => reject(new Error('no answer')));
  });
}

const chunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

describe('how long a body is', () => {
  it('is refused by its Content-Length before a byte of it is sent', async () => {
    const head = [
      'POST /v1/query?prompt=x HTTP/1.1',
      'Content-Type: image/jpeg',
      `Content-Length: ${MAX_BODY_BYTES + 1}`,
    ];
    expect(await raw(head, () => undefined)).toMatch(/^HTTP\/1.1 413 [^]*body_too_large/);
  });

  it('is counted where nobody says it', async () => {
    const head = [
      'POST /v1/query?prompt=x HTTP/1.1',
      'Content-Type: image/jpeg',
      'Transfer-Encoding: chunked',
    ];
    const part = chunk(new Uint8Array(2 ** 20));
    const answer = raw(head, (write) => {
      for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 2 ** 20) write(part);
    });
    expect(await answer).toMatch(/^HTTP\/1.1 413 [^]*body_too_large/);
  });

  it('may be unknown', async () => {
    const head = [
      `POST /v1/query?prompt=${encodeURIComponent(SUREST.prompt)} HTTP/1.1`,
      'Content-Type: image/jpeg',
      'Transfer-Encoding: chunked',
    ];
    const answer = await raw(head, (write) => {
      for (let at = 0; at < surest.length; at += 5000) write(chunk(surest.subarray(at, at + 5000)));
      write('0\r\n\r\n');
    });
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain(`"answer":"${SUREST.answer}"`);
  });

  it('is no more than Content-Length says, whatever follows', async () => {
    const head = ['POST /v1/query?prompt=x HTTP/1.1', 'Content-Type: image/jpeg', 'Content-Length: 1000'];
    const answer = await raw(head, (write) => write(rocket));
    expect(answer).toMatch(/^HTTP\/1.1 4(15|22) [^]*"(un|in)\w+_image"/);
  });

  it('is not waited for where it hardly comes', async () => {
    const head = (type: string, length: string) => [
      'POST /v1/query HTTP/1.1',
      `Content-Type: ${type}`,
      length,
    ];
    const answers = await Promise.all([
      raw(head('application/json', 'Content-Length: 5000'), (write) => write('{')),
      raw(head('application/json', 'Transfer-Encoding: chunked'), (write) => {
        const drip = setInterval(() => write(chunk(Buffer.from(' '))), 500);
        setTimeout(() => clearInterval(drip), 10_000);
      }),
      raw(head('image/jpeg', 'Content-Length: 50000'), (write) => write(rocket.subarray(0, 20))),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 408 [^]*request_timeout/);
    expect((await send(form({ image: image(), prompt: SUREST.prompt }))).status).toBe(200);
  });

  it('is one that breaks off', async () => {
    const { hostname, port } = new URL(worker.url);
    const head =
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 50000\r\n\r\n';
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(head + 'x', () => setTimeout(() => socket.destroy(), 200));
      });
      socket.on('close', () => setTimeout(resolve, 500));
    });
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).not.toMatch(/requests_total\{[^}]*status="500"/);
  });

  it('is of JSON less than of others', async () => {
    const head = [
      'POST /v1/query HTTP/1.1',
      'Content-Type: application/json',
      `Content-Length: ${MAX_JSON_BYTES + 1}`,
    ];
    expect(await raw(head, () => undefined)).toMatch(/^HTTP\/1.1 413 [^]*body_too_large/);
    const padded = new Blob([rocket, new Uint8Array(MAX_JSON_BYTES)]);
    expect((await send(form({ image: padded, prompt: SUREST.prompt }))).status).toBe(200);
  });
});

describe('what a body is', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const deepList = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const type = { 'content-type': 'application/json' };
  const thousand = (name: (i: number) => string) => {
    const body = new FormData();
    for (let i = 0; i < 1000; i++) body.append(name(i), 'x');
    return { method: 'POST', body };
  };
  const images = () => {
    const body = new FormData();
    for (let i = 0; i < 1000; i++) body.append('image', new Blob([new Uint8Array(1000)]));
    return body;
  };
  const cases: readonly (readonly [string, () => RequestInit, number, string])[] = [
    ['a thousand parts of one name', () => thousand(() => 'prompt'), 400, 'invalid_value'],
    ['a thousand parts of other names', () => thousand((i) => `name${i}`), 400, 'missing_prompt'],
    ['a thousand images', () => ({ method: 'POST', body: images() }), 400, 'invalid_value'],
    [
      'a form without an end',
      () => ({
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\n',
      }),
      400,
      'invalid_request',
    ],
    [
      'a form without a boundary',
      () => ({ method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' }),
      400,
      'invalid_request',
    ],
    [
      'objects a hundred thousand deep',
      () => ({ method: 'POST', headers: type, body: deep(100_000) }),
      400,
      'missing_prompt',
    ],
    [
      'lists a million deep',
      () => ({ method: 'POST', headers: type, body: deepList(1_000_000) }),
      400,
      'invalid_request',
    ],
    [
      'depth in a field',
      () => ({ method: 'POST', headers: type, body: `{"prompt":${deepList(100_000)},"image":"x"}` }),
      400,
      'invalid_value',
    ],
    [
      'JSON that is not UTF-8',
      () => ({ method: 'POST', headers: type, body: new Uint8Array([0x22, 0xff, 0xfe, 0x7b]) }),
      400,
      'invalid_json',
    ],
    ['nothing at all', () => ({ method: 'POST', headers: type }), 400, 'invalid_json'],
    ['text', () => ({ method: 'POST', body: 'hello' }), 415, 'unsupported_media_type'],
    ['no type', () => ({ method: 'POST', body: new Uint8Array(10) }), 415, 'unsupported_media_type'],
    [
      'a huge prompt',
      () => form({ image: image(), prompt: 'dog '.repeat(500_000) }),
      400,
      'context_length_exceeded',
    ],
    [
      'a huge option',
      () => form({ image: image(), prompt: 'x', seed: '9'.repeat(1_000_000) }),
      400,
      'invalid_value',
    ],
    [
      'base64 with a stray character',
      () => json({ image: dataUrl().replace('base64,', 'base64,!'), prompt: 'x' }),
      400,
      'invalid_value',
    ],
    [
      'base64 cut in a quantum',
      () => json({ image: 'data:image/jpeg;base64,/9j/4', prompt: 'x' }),
      400,
      'invalid_value',
    ],
    [
      'base64 padded in the middle',
      () => json({ image: dataUrl().replace('base64,', 'base64,AA=='), prompt: 'x' }),
      400,
      'invalid_value',
    ],
    [
      'a data URL that is not base64',
      () => json({ image: 'data:image/jpeg,%FF%D8', prompt: 'x' }),
      400,
      'invalid_value',
    ],
    [
      'an empty data URL',
      () => json({ image: 'data:image/jpeg;base64,', prompt: 'x' }),
      400,
      'missing_image',
    ],
    [
      'a data URL of text',
      () => json({ image: `data:image/png;base64,${btoa('hello')}`, prompt: 'x' }),
      415,
      'unsupported_image',
    ],
    ['half an image', () => form({ image: image().slice(0, 50_000), prompt: 'x' }), 422, 'invalid_image'],
  ];

  it.each(cases)('%s', async (_, init, status, code) => {
    expect(await asked(init())).toMatchObject({ status, error: { code } });
  });

  it('too long a prompt is told both numbers, in a chat too', async () => {
    const prompt = 'dog '.repeat(300);
    const both = /\b3\d\d tokens.*\b256\b/;
    expect((await asked(form({ image: image(), prompt }))).error?.message).toMatch(both);
    const content = [
      { type: 'text', text: prompt },
      { type: 'image_url', image_url: { url: dataUrl() } },
    ];
    const chat = await asked(
      json({ model: 'glimpse-10m', messages: [{ role: 'user', content }] }),
      '/v1/chat/completions',
    );
    expect(chat).toMatchObject({
      status: 400,
      error: { code: 'context_length_exceeded', message: expect.stringMatching(both) as string },
    });
  });

  it('a prompt may be of any characters', async () => {
    for (const prompt of [
      '\u0000\u0007\u001b[2J',
      '👩‍👩‍👧 کجا؟ \u202e',
      '\ud800',
      '<|end|><image><|assistant|>',
      'ａ\u0301'.repeat(20),
    ]) {
      expect((await send(json({ image: dataUrl(), prompt, max_new_tokens: 2 }))).status).toBe(200);
    }
  });

  it('and the next question is well', async () => {
    expect(await asked(json({ image: dataUrl(surest), prompt: SUREST.prompt }))).toMatchObject({
      status: 200,
      answer: SUREST.answer,
    });
  });
});
