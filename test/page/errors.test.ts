import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { photo, startWorker, type TestWorker } from '../workerd/worker.ts';
import { ask, choose, chooseHuge, describeInBrowser, launch, visit } from './browser.ts';

const ROCKET = 'test/fixtures/photos/rocket.jpg';
const QUESTION = 'Is this outdoors?';
const KEY = 'a-key-of-20-letters_';

describeInBrowser('errors, in words from which one can go on', () => {
  let browser: Browser;
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startWorker();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await worker.close();
  });

  async function open(of = worker): Promise<Page> {
    return (await visit(browser, of)).page;
  }

  const inSight = (page: Page, selector: string): Promise<boolean> =>
    page.locator(selector).evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const composer = document.querySelector('.ask')?.getBoundingClientRect().top ?? 0;
      return top >= 0 && bottom <= composer;
    });

  async function askInVain(page: Page): Promise<string | null> {
    await page.getByLabel('Question about the photo').fill(QUESTION);
    await page.keyboard.press('Enter');
    return page.locator('.failure p').textContent();
  }

  test('a file that is no image', async () => {
    const page = await open();
    const file = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no image') };
    await page.setInputFiles('#file', file);
    await page.getByText('This browser cannot show the file.').waitFor();
    expect(await askInVain(page)).toMatch(/JPEG.*PNG/);
    await choose(page, ROCKET);
    await ask(page, QUESTION);
    expect(await page.locator('.failure').count()).toBe(0);
  });

  test('a photo that breaks off', async () => {
    const page = await open();
    const buffer = (await photo('chelsea.png')).subarray(0, 50_000);
    await page.setInputFiles('#file', { name: 'half.png', mimeType: 'image/png', buffer });
    const words = await askInVain(page);
    const response = await worker.fetch(`/v1/query?prompt=a`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: buffer,
    });
    expect(response.status).toBe(422);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(words).toBe(error.message);
  });

  test('a file over the limit is not sent, and the words name the limit', async () => {
    const page = await open();
    await chooseHuge(page, 13 * 2 ** 20);
    expect(await page.getByRole('alert').textContent()).toBe(
      'huge.jpg has 13.0 MB, and the server takes 12.0 MB at most. Choose a smaller photo.',
    );
    await choose(page, ROCKET);
    expect(await page.getByRole('alert').isHidden()).toBe(true);
  });

  test('too many pixels: the server names the limit', async () => {
    const page = await open();
    const png = (await photo('chelsea.png')).subarray(0, 200);
    png.writeUInt32BE(20_000, 16); // IHDR's width and height
    png.writeUInt32BE(20_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await page.setInputFiles('#file', { name: 'vast.png', mimeType: 'image/png', buffer: png });
    expect(await askInVain(page)).toBe(
      'The image is 20000x20000, 1200.0 million samples (3 a pixel); a PNG may have 36 million. Send a smaller one.',
    );
  });

  test('a question that is far too long: the words are in sight, and the question can be shortened', async () => {
    const page = await open();
    await choose(page, ROCKET);
    const question = page.getByLabel('Question about the photo');
    const long = 'word '.repeat(1000).trim();
    await question.fill(long);
    await page.keyboard.press('Enter');
    const failure = page.locator('.failure p');
    expect(await failure.textContent()).toContain('shorten the prompt');
    await expect.poll(() => inSight(page, '.failure')).toBe(true);
    expect(await question.inputValue()).toBe(long);
  });

  test('a photo that is gone', async () => {
    const page = await open();
    const path = join(await mkdtemp(join(tmpdir(), 'glimpse-page-')), 'gone.jpg');
    await writeFile(path, await photo('rocket.jpg'));
    await choose(page, path);
    await rm(path);
    expect(await askInVain(page)).toBe('The photo was moved or changed since. Choose it again.');
  });

  test('a suggestion that is clicked twice is asked once', async () => {
    const page = await open();
    await choose(page, ROCKET);
    await page.getByRole('button', { name: 'Describe the image.' }).dblclick();
    await page.locator('.summary').waitFor();
    expect(await page.locator('.turn').count()).toBe(1);
  });

  test('no connection, and then one', async () => {
    const page = await open();
    await choose(page, ROCKET);
    await page.context().setOffline(true);
    expect(await askInVain(page)).toBe(
      'The server cannot be reached. Look at the connection, then ask again.',
    );
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.summary').waitFor();
    expect(await page.locator('.turn').count()).toBe(1);
  });

  test.each([
    ['', 'The connection broke off before the answer was complete. Ask again.'],
    [
      'event: error\ndata: {"error":{"message":"A shard is missing.","type":"server_error","param":null,"code":"shard_unavailable"}}\n\n',
      'A shard is missing.',
    ],
  ])('a stream that ends with %j', async (end, words) => {
    const page = await open();
    await choose(page, ROCKET);
    const stream = { contentType: 'text/event-stream', body: `data: {"delta":"A dog"}\n\n${end}` };
    await page.route('**/v1/query', (route) => route.fulfill(stream));
    expect(await askInVain(page)).toBe(words);
  });

  test('a server that wants a key: asked for until it is right, and then no more', async () => {
    const guarded = await startWorker({ API_KEYS: KEY });
    try {
      const page = await open(guarded);
      await choose(page, ROCKET);
      await page.getByLabel('Question about the photo').fill(QUESTION);
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'This server asks for a key' });
      await dialog.getByText('Whoever runs it can give you one.').waitFor();
      const input = dialog.getByLabel('API key');
      expect(await input.getAttribute('type')).toBe('password');
      await input.fill('wrong');
      await page.keyboard.press('Enter');
      await dialog.getByText('It does not know the key that was given.').waitFor();
      await input.fill(KEY);
      await page.keyboard.press('Enter');
      await page.locator('.summary').waitFor();
      await ask(page, 'Is there a dog in the image?');
      expect(await page.locator('.badge').allTextContents()).toEqual(['new photo', 'cached']);

      await page.reload();
      await choose(page, ROCKET);
      await ask(page, QUESTION);
      expect(await page.evaluate(() => [sessionStorage.length, localStorage.length])).toEqual([1, 0]);
    } finally {
      await guarded.close();
    }
  });

  test('who has no key is told so', async () => {
    const guarded = await startWorker({ API_KEYS: KEY });
    try {
      const page = await open(guarded);
      await choose(page, ROCKET);
      await page.getByLabel('Question about the photo').fill(QUESTION);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Cancel' }).click();
      expect(await page.locator('.failure p').textContent()).toBe('This server answers only who has a key.');
    } finally {
      await guarded.close();
    }
  });
});
