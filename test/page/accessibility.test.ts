import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker, type TestWorker } from '../workerd/worker.ts';
import { ask, choose, chooseHuge, describeInBrowser, launch, visit } from './browser.ts';
import { faults } from './faults.ts';

describeInBrowser('the page for everybody', () => {
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

  test.each([
    ['light', 360, 640],
    ['dark', 360, 640],
    ['light', 1280, 800],
    ['dark', 1280, 800],
  ] as const)('axe finds nothing: %s, %i x %i', async (colorScheme, width, height) => {
    const hasTouch = width < 500;
    const options = { colorScheme, viewport: { width, height }, hasTouch, isMobile: hasTouch };
    const { page, problems } = await visit(browser, worker, options);
    await page.getByText('What it can and cannot do').click();
    expect(await faults(page)).toEqual([]);

    await page.getByRole('button', { name: /astronaut/ }).click();
    expect(await faults(page)).toEqual([]);
    await ask(page, 'Describe the image.');
    await ask(page, 'Is there a dog in the image?');
    expect(await faults(page)).toEqual([]);

    await page.setInputFiles('#file', {
      name: 'a.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from('no image'),
    });
    await page.getByRole('button', { name: 'Describe the image.' }).click();
    await page.locator('.failure').waitFor();
    await chooseHuge(page, 21 * 2 ** 20);
    await page.getByRole('alert').waitFor();
    expect(await faults(page)).toEqual([]);

    const refusal = {
      error: { message: 'An API key is needed.', type: '', param: null, code: 'invalid_api_key' },
    };
    await page.route('**/v1/query', (route) => route.fulfill({ status: 401, json: refusal }), { times: 1 });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await faults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('with the keyboard alone, and a mark on what has the focus', async () => {
    const { page } = await visit(browser, worker);
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        const { activeElement: at } = document;
        const name = at?.querySelector('img')?.alt ?? at?.getAttribute('aria-label') ?? at?.textContent ?? '';
        return `${name.trim()} ${at && getComputedStyle(at).outlineStyle !== 'none' ? '(marked)' : ''}`.trim();
      });
    const order: string[] = [];
    for (let tabs = 0; tabs < 7; tabs++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order).toEqual([
      'API (marked)',
      'Dark theme (marked)',
      'Choose a photo (marked)',
      'An astronaut in an orange suit, smiling (marked)',
      'A tabby cat looking at the camera (marked)',
      'A rocket lifting off at dusk (marked)',
      'What it can and cannot do (marked)',
    ]);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: 'Your photo, rocket.jpg' }).waitFor();
    await page.keyboard.type('Is this outdoors?');
    await page.keyboard.press('Enter');
    await page.locator('.summary').waitFor();
    expect(await page.getByRole('status').textContent()).toMatch(/^(Yes|No)\. /);

    await page.keyboard.type('Is there a dog in the image?');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Ask (marked)');
    await page.keyboard.press('Space');
    await page.locator('.summary').nth(1).waitFor();
    await choose(page, 'test/fixtures/photos/coffee.png');
    expect(await page.getByLabel('Question about the photo').inputValue()).toBe('');
  });
});
