import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, form, json, photo, result, startWorker, type TestWorker } from './worker.ts';

const [ANNA, BEN] = ['anna-0123456789', 'ben-0123456789'];
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const withKey = (init: RequestInit, key: string): RequestInit => ({
  ...init,
  headers: { ...(init.headers as Record<string, string> | undefined), ...bearer(key) },
});

describe('with API keys', () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await startWorker({ API_KEYS: ` ${ANNA}, ${BEN} ` });
  });
  afterAll(() => worker.close());

  it.each([
    ['no key', {}, 'realm="glimpse"'],
    ['a wrong key', bearer('nobody'), 'error="invalid_token"'],
    ['a key cut short', bearer(ANNA.slice(0, -1)), 'error="invalid_token"'],
    ['both keys at once', bearer(`${ANNA},${BEN}`), 'error="invalid_request"'],
    ['another scheme', { authorization: `Basic ${btoa(`user:${ANNA}`)}` }, 'error="invalid_request"'],
  ])('%s is a 401 with a challenge', async (_, headers, challenge) => {
    const response = await worker.fetch('/v1/query', { ...json({}), headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer ${challenge}`);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({
      error: { type: 'invalid_request_error', param: null, code: 'invalid_api_key' },
    });
    expect(body).not.toContain(ANNA);
  });

  it.each(['/v1/caption', '/v1/nothing', '/tokenize', '/detokenize', '/metrics'])(
    '%s needs one',
    async (path) => {
      expect((await worker.fetch(path, json({}))).status).toBe(401);
    },
  );

  it('health needs none', async () => {
    expect((await worker.fetch('/health')).status).toBe(200);
  });

  it("a handle is the key's that made it", async () => {
    const image = new Blob([await photo('rocket.jpg')]);
    const first = await answerOf(worker.fetch('/v1/caption', withKey(form({ image }), ANNA)));
    const again = json({ image: first.image });
    expect(await answerOf(worker.fetch('/v1/caption', withKey(again, ANNA)))).toMatchObject({ cache: 'hit' });
    const other = await result(worker.fetch('/v1/caption', withKey(again, BEN)));
    expect(other).toMatchObject({ status: 404, body: { error: { code: 'image_not_found' } } });
    const own = await answerOf(worker.fetch('/v1/caption', withKey(form({ image }), BEN)));
    expect(own).toMatchObject({ image: first.image, answer: first.answer, cache: 'miss' });
  });
});

describe('other origins', () => {
  const preflight = (origin: string): RequestInit => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-stainless-lang',
    },
  });
  const allowed = (response: Response): string | null => response.headers.get('access-control-allow-origin');

  it('are refused by default: no header says otherwise', async () => {
    const worker = await startWorker();
    const responses = [
      await worker.fetch('/v1/query', preflight('https://a.example')),
      await worker.fetch('/health', { headers: { origin: 'https://a.example' } }),
    ];
    await worker.close();
    expect(responses.map(({ status }) => status)).toEqual([405, 200]);
    for (const { headers } of responses) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  it('are allowed by name, and their preflight needs no key', async () => {
    const worker = await startWorker({
      CORS_ORIGINS: 'https://a.example, https://b.example',
      API_KEYS: ANNA,
    });
    const asked = await worker.fetch('/v1/query', preflight('https://b.example'));
    expect(asked.status).toBe(204);
    expect(allowed(asked)).toBe('https://b.example');
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization,x-stainless-lang');
    expect(allowed(await worker.fetch('/v1/query', preflight('https://c.example')))).toBeNull();
    const refused = await worker.fetch('/v1/query', {
      ...json({}),
      headers: { origin: 'https://a.example' },
    });
    expect([refused.status, allowed(refused)]).toEqual([401, 'https://a.example']);
    await worker.close();
  });
});

it('a key that no client could send fails the deployment, in words', async () => {
  const worker = await startWorker({ API_KEYS: `${ANNA},s3cr!t` });
  expect((await worker.fetch('/health')).status).toBe(500);
  expect(worker.logs().join('\n')).toContain('API_KEYS: a key is made of letters');
  await worker.close();
});

it('answers carry the headers that browsers take precautions by', async () => {
  const worker = await startWorker();
  for (const path of ['/health', '/nothing']) {
    const { headers } = await worker.fetch(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  }
  await worker.close();
});
