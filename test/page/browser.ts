import { existsSync } from 'node:fs';
import { mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { describe } from 'vitest';
import type { TestWorker } from '../workerd/worker.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const found = existsSync(CHROMIUM);
if (!found) {
  console.warn(
    `There is no Chromium at ${CHROMIUM} (CHROMIUM_PATH names another): tests of the page are SKIPPED.`,
  );
}

/** Skipped, with words, where there is no browser. */
export const describeInBrowser = describe.skipIf(!found);

const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(' ') });

export interface Visit {
  readonly page: Page;
  /** Console errors (a breach of the policy is one), exceptions, and requests to other hosts. */
  readonly problems: readonly string[];
}

/** The page in a profile of its own. */
export async function visit(
  browser: Browser,
  worker: TestWorker,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(10_000);
  const problems: string[] = [];
  page.on('console', (message) => {
    // Chromium notes each response with an error status; what the page makes of them is what is tested.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && origin !== worker.url.origin) problems.push(request.url());
  });
  await page.goto(worker.url.href);
  return { page, problems };
}

export const choose = (page: Page, path: string): Promise<void> => page.setInputFiles('#file', path);

/** Types a question and waits until its answer is complete. */
export async function ask(page: Page, question: string): Promise<void> {
  const answers = page.locator('.summary');
  const before = await answers.count();
  await page.getByLabel('Question about the photo').fill(question);
  await page.keyboard.press('Enter');
  await answers.nth(before).waitFor();
}

/** Chooses a file of this many bytes, from the disk: over the wire to the browser it would take seconds. */
export async function chooseHuge(page: Page, bytes: number): Promise<void> {
  const path = join(await mkdtemp(join(tmpdir(), 'glimpse-page-')), 'huge.jpg');
  await writeFile(path, '');
  await truncate(path, bytes); // all holes
  await choose(page, path);
}
