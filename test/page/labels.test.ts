import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { classifyResponse } from '../../src/routes/classify.ts';
import { json, photo, startWorker, type TestWorker } from '../workerd/worker.ts';
import { startOrigin, type Origin } from '../workerd/bundle-origin.ts';
import { choose, describeInBrowser, launch, visit } from './browser.ts';
import { faults } from './faults.ts';

const KEY = 'a-key-of-20-letters_';
const LABELS = ['a cat', 'a rocket', 'a cup of coffee'];

describeInBrowser('a dual encoder, which writes no text', () => {
  let browser: Browser;
  let worker: TestWorker;
  let origin: Origin;
  const start = (vars: Readonly<Record<string, string>> = {}) =>
    startWorker({ BUNDLE: 'clip-legacy', BUNDLE_SOURCE: 'https', BUNDLE_URL: origin.url, ...vars });

  beforeAll(async () => {
    origin = await startOrigin('test/fixtures/dual');
    worker = await start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await worker.close();
    origin.close();
  });

  test('is asked for labels, and the page says what it is for', async () => {
    const { page, problems } = await visit(browser, worker);
    await page.getByRole('heading', { name: 'Which of your labels is it?' }).waitFor();
    const api = page.getByText('writes no text').getByRole('link', { name: 'see the API' });
    expect(await api.getAttribute('href')).toBe('/docs');
    expect(await page.getByText('What it can and cannot do').isHidden()).toBe(true);

    expect(await faults(page)).toEqual([]);

    await choose(page, 'test/fixtures/photos/rocket.jpg');
    const input = page.getByLabel('Labels for the photo, with commas between');
    await input.fill('a cat,');
    await page.keyboard.press('Enter');
    expect(await page.locator('.failure p').textContent()).toContain('One label leaves nothing to choose.');

    await input.fill(LABELS.join(', '));
    await page.keyboard.press('Enter');
    await page.locator('.summary').waitFor();
    const image = `data:image/jpeg;base64,${(await photo('rocket.jpg')).toString('base64')}`;
    const response = await worker.fetch('/v1/classify', json({ image, labels: LABELS }));
    const { classes } = classifyResponse.parse(await response.json());
    const shown = await page.locator('.classes li').allTextContents();
    expect(shown.map((words) => words.replace(/[\d.]+ %$/, ''))).toEqual(classes.map(({ label }) => label));
    expect(await page.getByRole('status').textContent()).toMatch(/: [\d.]+ %\. [\d.]+ ms\.$/);

    await page.getByRole('button', { name: 'a person, an animal' }).click();
    await page.locator('.summary').nth(1).waitFor();
    expect(await page.locator('.badge').allTextContents()).toEqual(['new photo', 'cached']);
    expect(await faults(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('also behind a key, once it is given', async () => {
    const guarded = await start({ API_KEYS: KEY });
    const { page } = await visit(browser, guarded);
    await choose(page, 'test/fixtures/photos/rocket.jpg');
    await page.getByLabel('Question about the photo').fill('What is it?');
    await page.keyboard.press('Enter');
    await page.getByLabel('API key').fill(KEY);
    await page.keyboard.press('Enter');
    await page.getByLabel('Labels for the photo, with commas between').waitFor();
    await guarded.close();
  });
});
