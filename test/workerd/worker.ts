import { readFile } from 'node:fs/promises';
import { createTestHarness } from 'wrangler';
import type { AnswerBody } from '../../src/routes/answer-body.ts';
import type { BundleStatus } from '../../src/pipeline/pipeline.ts';

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false';
process.env.WRANGLER_SEND_METRICS = 'false';

/** The Worker as wrangler.toml describes it, in workerd, with the default bundle. */
export interface TestWorker {
  readonly url: URL;
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** What the Worker has logged since the last call. */
  logs(): readonly string[];
  /** A new isolate over the same stores. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param vars over those of wrangler.toml
 * @param configPath another one
 */
export async function startWorker(
  vars: Readonly<Record<string, string>> = {},
  configPath = './wrangler.toml',
): Promise<TestWorker> {
  const server = createTestHarness({ workers: [{ configPath, vars }] });
  let { url } = await server.listen();
  return {
    get url() {
      return url;
    },
    fetch: (path, init) => fetch(new URL(path, url), init),
    logs() {
      const lines = server.getLogs().map(({ message }) => message);
      server.clearLogs();
      return lines;
    },
    async restart() {
      await server.update((options) => ({ ...options }));
      ({ url } = await server.listen());
    },
    close: () => server.close(),
  };
}

export const photo = (name: string): Promise<Buffer<ArrayBuffer>> => readFile(`test/fixtures/photos/${name}`);

/** A multipart body, as `curl -F` sends it. */
export function form(fields: Readonly<Record<string, string | Blob>>): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return { method: 'POST', body };
}

export const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export async function answerOf(response: Response | Promise<Response>): Promise<AnswerBody> {
  const { status, body } = await result(response);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as AnswerBody;
}

export async function result(
  response: Response | Promise<Response>,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const settled = await response;
  return { status: settled.status, body: await settled.json() };
}

export async function bundleStatus(worker: TestWorker): Promise<BundleStatus> {
  const { bundle } = (await (await worker.fetch('/health')).json()) as { bundle: BundleStatus };
  return bundle;
}
