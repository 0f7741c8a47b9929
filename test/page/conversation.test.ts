import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { answerOf, form, json, photo, startWorker, type TestWorker } from '../workerd/worker.ts';
import { ask, choose, describeInBrowser, launch, visit, type Visit } from './browser.ts';

const ROCKET = 'test/fixtures/photos/rocket.jpg';
const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const DESCRIBE = 'Describe the image.';

describeInBrowser('a conversation about a photo', () => {
  let browser: Browser;
  let worker: TestWorker;
  let visited: Visit;
  let page: Page;

  beforeAll(async () => {
    worker = await startWorker();
    browser = await launch();
  });
  beforeEach(async () => {
    visited = await visit(browser, worker);
    page = visited.page;
  });
  afterEach(async () => {
    expect(visited.problems).toEqual([]);
    await page.context().close();
  });
  afterAll(async () => {
    await browser.close();
    await worker.close();
  });

  const bodies = (): string[] => {
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') {
        sent.push(request.postData() ?? request.headers()['content-type'] ?? '');
      }
    });
    return sent;
  };

  /** What the question on a page that waits for an answer is shown to wait for, in order. */
  async function wordsWhileHeld(): Promise<readonly string[]> {
    let release: () => void = () => undefined;
    const held = new Promise<void>((go) => (release = go));
    await page.route('**/v1/query', async (route) => {
      await held;
      await route.continue();
    });
    await page.getByRole('button', { name: DESCRIBE }).click();
    const words: string[] = [];
    const waiting = page.locator('.waiting');
    for (let looks = 0; looks < 12; looks++) {
      const now = (await waiting.textContent()) ?? '';
      if (words.at(-1) !== now) words.push(now);
      await page.waitForTimeout(100);
    }
    release();
    await page.locator('.summary').waitFor();
    return words;
  }

  test('while shards load it says which half', async () => {
    await page.route('**/v1/models', (route) => route.abort()); // which would open the bundle
    await worker.restart();
    await page.goto(worker.url.href);
    await choose(page, ROCKET);
    expect(await wordsWhileHeld()).toEqual(['Sending the photo…', 'Loading the model…']);
  });

  test('and in an isolate that has opened the bundle, which half it waits for', async () => {
    await worker.restart();
    await page.goto(worker.url.href);
    await worker.fetch('/v1/query', json({ image: UNKNOWN, prompt: DESCRIBE })); // a 404, for which no weights are fetched
    await choose(page, 'test/fixtures/photos/coffee.png');
    expect(await wordsWhileHeld()).toEqual(['Sending the photo…', 'Loading the model’s vision half…']);
  });

  test('drop, ask, watch the answer grow; ask again, and the vision stage is skipped', async () => {
    const sent = bodies();
    const devtools = await page.context().newCDPSession(page);
    const data = { items: [], files: [resolve('test/fixtures/photos/astronaut.png')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await devtools.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    }
    await page.getByRole('img', { name: 'Your photo, astronaut.png' }).waitFor();
    await page.getByText('astronaut.png, 512 × 512').waitFor();
    const question = page.getByLabel('Question about the photo');
    expect(await question.evaluate((input) => document.activeElement === input)).toBe(true);

    const seen = await watchText(page);
    await ask(page, DESCRIBE);
    const truth = await answerOf(
      worker.fetch('/v1/query', form({ image: new Blob([await photo('astronaut.png')]), prompt: DESCRIBE })),
    );
    expect(await page.locator('.text').textContent()).toBe(truth.answer);
    expect(seen().length).toBeGreaterThan(2);
    for (const text of seen()) expect(truth.answer.startsWith(text.trimEnd())).toBe(true);
    expect(await page.locator('.badge').textContent()).toBe('new photo');
    expect(await page.locator('.legend').textContent()).toMatch(/vision [\d.]+ ms/);

    await ask(page, 'Is there a dog in the image?');
    const second = page.locator('.turn').nth(1);
    expect(await second.locator('.badge').textContent()).toBe('cached');
    expect(await second.locator('.legend').textContent()).toContain('vision skipped');
    expect(await second.locator('.slice.vision').count()).toBe(0);
    expect(await page.getByRole('status').textContent()).toMatch(
      /^\w+\. Cached: the vision stage was skipped\. [\d.]+ ms\.$/,
    );

    expect(sent[0]).toContain('multipart/form-data');
    expect(JSON.parse(sent[1] ?? '')).toEqual({
      image: truth.image,
      prompt: 'Is there a dog in the image?',
      stream: true,
    });
  });

  test('stop in mid-stream keeps what has come, and the next question is answered', async () => {
    await choose(page, ROCKET);
    await ask(page, DESCRIBE);
    // The model's own answers are over in a blink: options that the page does not send make it ramble.
    const ramble = {
      image: await handle(page),
      prompt: 'Go on.',
      temperature: 100,
      top_k: 0,
      seed: 1,
      max_new_tokens: 180,
    };
    const postData = { ...ramble, stream: true };
    await page.route('**/v1/query', (route) => route.continue({ postData }), { times: 1 });
    await stopAtOnce(page);
    const question = page.getByLabel('Question about the photo');
    await question.fill('Go on.');
    await page.keyboard.press('Enter');
    const turn = page.locator('.turn').nth(2);
    await turn.getByText('Stopped').waitFor();

    const kept = (await turn.locator('.text').textContent()) ?? '';
    const { answer } = await answerOf(worker.fetch('/v1/query', json(ramble)));
    expect(kept).not.toBe('');
    expect(answer.startsWith(kept)).toBe(true);
    expect(kept.length).toBeLessThan(answer.length / 2);
    expect(await page.getByRole('button', { name: 'Stop' }).isHidden()).toBe(true);
    expect(await question.evaluate((input) => input === document.activeElement)).toBe(true);

    await ask(page, 'Is this outdoors?');
    expect(await page.locator('.turn').nth(3).locator('.text').textContent()).toBe('Yes.');
  });

  test('a photo taken with a phone', async () => {
    const phone = await visit(browser, worker, {
      hasTouch: true,
      isMobile: true,
      viewport: { width: 390, height: 844 },
    });
    const camera = phone.page.waitForEvent('filechooser');
    await phone.page.getByRole('button', { name: 'Take a photo' }).tap();
    const chooser = await camera;
    expect(await chooser.element().getAttribute('capture')).toBe('environment');
    await chooser.setFiles(ROCKET);
    await phone.page.getByText('rocket.jpg, 640 × 427').waitFor();
    await ask(phone.page, 'Is this outdoors?');
    expect(await phone.page.locator('.text').textContent()).toBe('Yes.');
    expect(phone.problems).toEqual([]);
    await phone.page.context().close();
  });

  test('a pasted image', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const png = (await readFile('test/fixtures/photos/chelsea.png')).toString('base64');
    await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      await navigator.clipboard.write([
        new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) }),
      ]);
    }, png);
    await page.keyboard.press('Control+V');
    await page.getByText('451 × 300').waitFor();
    await ask(page, 'Is there a dog in the image?');
    expect(await page.locator('.text').textContent()).toMatch(/\w/);
  });

  test('an example, its credit and its suggested questions', async () => {
    expect(await page.getByText('Photo: NASA, public domain').isVisible()).toBe(true);
    await page.getByRole('button', { name: /astronaut/ }).click();
    await page.getByRole('button', { name: 'Is there a person in the image?' }).click();
    await page.locator('.summary').waitFor();
    expect(await page.locator('.question').textContent()).toBe('Is there a person in the image?');
    expect(await page.locator('.text').textContent()).toBe('Yes.');
  });

  test('a photo that was open before comes back with what was asked about it', async () => {
    await choose(page, ROCKET);
    await ask(page, DESCRIBE);
    await page.getByRole('button', { name: 'Examples' }).click();
    await page.getByRole('button', { name: /cat/ }).click();
    await page.getByRole('img', { name: 'Your photo, chelsea.jpg' }).waitFor();
    expect(await page.locator('.turn').count()).toBe(0);
    await choose(page, ROCKET);
    expect(await page.locator('.turn .question').allTextContents()).toEqual([DESCRIBE]);
  });

  test('where the server no longer knows the handle, the pixels go again by themselves', async () => {
    await choose(page, ROCKET);
    await ask(page, DESCRIBE);
    const sent = bodies();
    await page.route(
      '**/v1/query',
      (route) => route.continue({ postData: { image: UNKNOWN, prompt: DESCRIBE, stream: true } }),
      { times: 1 },
    );
    await ask(page, DESCRIBE);
    const [first, second] = await page.locator('.text').allTextContents();
    expect(second).toBe(first);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toContain('multipart/form-data');
  });

  test('the theme follows the system until it is chosen, and the choice stays', async () => {
    const toggle = page.getByRole('button', { name: 'Dark theme' });
    const shown = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    expect(await shown()).toBe('light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(shown).toBe('dark');
    expect(await toggle.getAttribute('aria-pressed')).toBe('true');
    await toggle.click();
    await page.reload();
    expect([await shown(), await toggle.getAttribute('aria-pressed')]).toEqual(['light', 'false']);
  });
});

/** The handle of the photo that is open, by asking as the page does. */
async function handle(page: Page): Promise<string> {
  const sent = page.waitForRequest('**/v1/query');
  await ask(page, DESCRIBE);
  return ((await sent).postDataJSON() as { image: string }).image;
}

/** Presses Stop when the next answer has its first words: from here outside it might be over by then. */
async function stopAtOnce(page: Page): Promise<void> {
  await page.evaluate(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('.streaming')) return;
      observer.disconnect();
      const stop = document.querySelector<HTMLButtonElement>('#stop');
      stop?.focus();
      stop?.click();
    }).observe(document.body, { subtree: true, childList: true });
  });
}

/** Notes each text that the answer shows while it grows. */
async function watchText(page: Page): Promise<() => readonly string[]> {
  const seen = new Set<string>();
  await page.exposeFunction('seeText', (text: string) => void seen.add(text));
  await page.evaluate(() => {
    const tell = (window as unknown as { seeText: (text: string) => void }).seeText;
    new MutationObserver(() => {
      const text = document.querySelector('.streaming')?.textContent;
      if (text) tell(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => [...seen];
}
