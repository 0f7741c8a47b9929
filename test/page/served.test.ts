import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker, type TestWorker } from '../workerd/worker.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

test.each([
  ['/', 'text/html; charset=utf-8'],
  ['/page/main.js', 'text/javascript; charset=utf-8'],
  ['/page/style.css', 'text/css; charset=utf-8'],
  ['/page/icon.svg', 'image/svg+xml'],
  ['/page/examples/astronaut.jpg', 'image/jpeg'],
  ['/page/examples/chelsea.jpg', 'image/jpeg'],
  ['/page/examples/rocket.jpg', 'image/jpeg'],
])(
  '%s is served as %s under a strict policy, and asked for again only to hear that it is the same',
  async (path, type) => {
    const response = await worker.fetch(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toBe(POLICY);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(300);

    const etag = response.headers.get('etag') ?? '';
    const again = await worker.fetch(path, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(again.headers.get('content-security-policy')).toBe(POLICY);
    expect((await again.arrayBuffer()).byteLength).toBe(0);
  },
);

test('there is nothing else to find beside it', async () => {
  expect((await worker.fetch('/page/main.ts')).status).toBe(404);
  expect((await worker.fetch('/', { method: 'POST' })).status).toBe(405);
});
