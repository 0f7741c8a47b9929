import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import { faultySource, readBundle } from '../faults/faulty-source.ts';
import { startServer, type Server } from '../faults/server.ts';
import { misbehave, SECRET, type MisbehavingServer } from './misbehaving-server.ts';

const image = new Uint8Array(await readFile('test/fixtures/photos/rocket.jpg'));
const files = await readBundle('model-shards/glimpse-10m');
let remote: MisbehavingServer;
let server: Server;

beforeAll(async () => {
  remote = await misbehave(image);
  const fetchRemoteImage = createFetchRemoteImage({
    hosts: ['images.example.com'],
    max_bytes: 2 ** 20,
    time_limit: 1_500,
    fetch: (url, init) => fetch(new URL(url.pathname, remote.origin), init),
  });
  server = startServer('glimpse-10m', faultySource(files), undefined, fetchRemoteImage);
});
afterAll(() => remote.close());

test('an image by URL is the image itself: one answer, one handle, one cache entry', async () => {
  const uploaded = await server.ask(image);
  const fetched = await server.ask('https://images.example.com/image');
  expect(fetched.status).toBe(200);
  expect(fetched.body).toMatchObject({
    answer: uploaded.body.answer,
    image: uploaded.body.image,
    cache: 'hit',
  });
});

test('a chat and embeddings take one too', async () => {
  const url = 'https://images.example.com/image';
  const content = [
    { type: 'text', text: 'What is in the picture?' },
    { type: 'image_url', image_url: { url } },
  ];
  const chat = { model: 'glimpse-10m', max_tokens: 8, messages: [{ role: 'user', content }] };
  const { answer, image: handle } = (await server.ask(image)).body;
  const answered = await server.post('/v1/chat/completions', chat);
  expect(await answered.json()).toMatchObject({ choices: [{ message: { content: answer } }] });
  const embedded = await server.post('/v1/embeddings', { model: 'glimpse-10m', input: url });
  expect(await embedded.json()).toMatchObject({ data: [{ image: handle, cache: 'hit' }] });
});

test.each([
  ['/image-by-type', 415, 'unsupported_image'],
  ['/empty', 422, 'invalid_image'],
  ['/huge', 413, 'image_too_large'],
  ['/404', 502, 'remote_image_unavailable'],
  ['/drips', 502, 'remote_image_unavailable'],
  ['/moved-to-private', 400, 'remote_image_refused'],
])('%s is %i %s, and the next request is well', async (path, status, code) => {
  const { status: got, body } = await server.ask(`https://images.example.com${path}`);
  expect([got, body.error?.code, body.error?.param]).toEqual([status, code, 'image']);
  expect(JSON.stringify(body)).not.toContain(SECRET);
  expect((await server.ask(image)).status).toBe(200);
});

test('without hosts no URL is fetched', async () => {
  remote.asked.length = 0;
  const { status, body } = await startServer('glimpse-10m', faultySource(files)).ask(
    'https://images.example.com/image',
  );
  expect([status, body.error?.code]).toEqual([400, 'remote_image_refused']);
  expect(remote.asked).toEqual([]);
});
