import { Hono } from 'hono';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';

export interface PageFile {
  readonly path: string;
  /** Its Content-Type. */
  readonly type: string;
  readonly body: ArrayBuffer;
}

/** The page's own files, what it asks this server, and the photos that its visitor opens. Nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A browser gives what it kept the headers of the 304 that confirmed it: the policy must stand there too. */
const RETAINED = { retainedHeaders: [...RETAINED_304_HEADERS, 'content-security-policy'] };

/** `GET /` and the files it loads. A browser keeps them and asks each time whether they are still the same. */
export function page(files: readonly PageFile[]): Hono {
  const app = new Hono();
  for (const { path, type, body } of files) {
    app.get(path, etag(RETAINED), (c) =>
      c.body(body, 200, {
        'content-type': type,
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
      }),
    );
  }
  return app;
}
