import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import { misbehave, SECRET, type MisbehavingServer } from './misbehaving-server.ts';

const HOSTS = ['images.example.com', '*.example.org'];
const LIMIT = 1_500; // milliseconds, for production's 10 s
const MAX_BYTES = 2 ** 20;

const image = new Uint8Array(await readFile('test/fixtures/photos/rocket.jpg'));
let server: MisbehavingServer;
beforeAll(async () => {
  server = await misbehave(image);
});
afterAll(() => server.close());

/** The real fetch over real HTTP: only where a host's name leads, and TLS, are the test's. */
const fetchImage = createFetchRemoteImage({
  hosts: HOSTS,
  max_bytes: MAX_BYTES,
  time_limit: LIMIT,
  fetch: (url, init) => fetch(new URL(url.pathname, server.origin), init),
});
const never = new AbortController().signal;
const fetched = (path: string, signal = never) => fetchImage(`https://images.example.com${path}`, signal);

test.each(['/image', '/text-by-type', '/moved', '/moved-there-and-back', '/hops/3'])(
  '%s gives the image',
  async (path) => {
    expect(await fetched(path)).toEqual(image);
  },
);

test('what says that it is an image is not believed, nor judged: its bytes are handed on', async () => {
  expect(new TextDecoder().decode(await fetched('/image-by-type'))).toBe(SECRET);
  expect(await fetched('/empty')).toHaveLength(0);
  expect(await fetched('/longer-than-said')).toHaveLength(10);
});

test.each([
  ['/moved-to-private', 'remote_image_refused', /redirects to one/],
  ['/moved-to-name', 'remote_image_refused', /redirects to one/],
  ['/moved-to-http', 'remote_image_refused', /redirects to one/],
  ['/moved-to-port', 'remote_image_refused', /redirects to one/],
  ['/moved-to-other', 'remote_image_refused', /redirects to one/],
  ['/moved-to-nonsense', 'remote_image_refused', /redirects to one/],
  ['/loop', 'remote_image_refused', /too often/],
  ['/hops/4', 'remote_image_refused', /too often/],
  ['/moved-nowhere', 'remote_image_unavailable', /check the URL/],
  ['/404', 'remote_image_unavailable', /check the URL/],
  ['/500', 'remote_image_unavailable', /check the URL/],
  ['/206', 'remote_image_unavailable', /check the URL/],
  ['/304', 'remote_image_unavailable', /check the URL/],
  ['/huge', 'image_too_large', /more than 1048576 bytes/],
  ['/huge-said', 'image_too_large', /more than 1048576 bytes/],
  ['/shorter-than-said', 'remote_image_unavailable', /check the URL/],
  ['/silent', 'remote_image_unavailable', /check the URL/],
  ['/stalls', 'remote_image_unavailable', /check the URL/],
  ['/drips', 'remote_image_unavailable', /check the URL/],
  ['/hangs-up', 'remote_image_unavailable', /check the URL/],
  ['/no-http', 'remote_image_unavailable', /check the URL/],
])('%s ends in time with %s, and tells nothing of what came', async (path, code, message) => {
  const from = performance.now();
  const error = await fetched(path).catch((error: unknown) => error);
  expect(performance.now() - from).toBeLessThan(LIMIT + 1_000);
  expect(error).toMatchObject({ code, param: 'image', message: expect.stringMatching(message) as unknown });
  const { message: told } = error as Error;
  expect(told).not.toContain(SECRET);
  expect(told).not.toMatch(/404|500|206|304|127\.0|169\.254/);
  expect(await fetched('/image')).toEqual(image);
});

test('a refused redirect is not followed, and loops are left after three', async () => {
  server.asked.length = 0;
  await fetched('/moved-to-other').catch(() => undefined);
  expect(server.asked).toEqual(['/moved-to-other']);
  await fetched('/loop').catch(() => undefined);
  expect(server.asked.filter((path) => path === '/loop')).toHaveLength(4);
});

test('a caller who leaves ends the fetch with his own reason', async () => {
  const reason = new Error('the caller hung up');
  const leaver = new AbortController();
  const fetching = fetched('/drips', leaver.signal);
  setTimeout(() => leaver.abort(reason), 100);
  await expect(fetching).rejects.toBe(reason);
});

test('nothing is asked of a host that is not allowed', async () => {
  server.asked.length = 0;
  await expect(fetchImage('https://evil.net/image', never)).rejects.toMatchObject({
    code: 'remote_image_refused',
  });
  expect(server.asked).toEqual([]);
});
