import type { Context, MiddlewareHandler } from 'hono';
import { MAX_JSON_BYTES } from '../max-body-bytes.ts';
import { contentLength } from '../routes/read-body.ts';
import { requestContext } from '../routes/request-context.ts';
import { createBodyBudget } from './admission.ts';
import type { Permit } from './budget.ts';
import { createCallerBound } from './caller-bound.ts';

/**
 * Copies of a body that exist at once while it is read: of JSON its bytes, its text, the string in it and
 * what that decodes to. Of forms and images the image is a view of the body.
 */
const COPIES_OF_JSON = 4;

/**
 * Lets a request in when there is room for its body, before any of it is read: Content-Length tells how
 * much it takes; without one it is taken for the largest. What it takes is free again when all of the
 * request's work has ended, also where its client has left.
 */
export function admitRequests(max_body_bytes: number): MiddlewareHandler {
  const bodies = createBodyBudget();
  const callers = createCallerBound();
  return async (c, next) => {
    if (c.req.raw.body === null) return next();
    const context = requestContext(c);
    const held: Permit[] = [];
    const work: Promise<unknown>[] = [];
    c.set('work', work);
    try {
      const caller = c.get('api_key_digest');
      if (caller !== undefined) held.push(callers.enter(caller));
      held.push(
        isJson(c)
          ? await bodies.acquire(
              COPIES_OF_JSON * bodyBytes(c, Math.min(max_body_bytes, MAX_JSON_BYTES)),
              context,
            )
          : await bodies.acquire(bodyBytes(c, max_body_bytes), context),
      );
      await next();
    } finally {
      const release = (): void => held.forEach((permit) => permit.release());
      context.waitUntil(Promise.allSettled(work).then(release));
    }
  };
}

function bodyBytes(c: Context, max_body_bytes: number): number {
  return Math.min(contentLength(c.req.raw) ?? max_body_bytes, max_body_bytes);
}

function isJson(c: Context): boolean {
  return c.req.header('content-type')?.startsWith('application/json') ?? false;
}
