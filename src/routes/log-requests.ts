import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { GlimpseError } from '../errors.ts';
import type { Log } from '../log.ts';

/** One line a request: which route gave which status, why, and after how long (a stream: until its first text). */
export const logRequests =
  (log: Log): MiddlewareHandler =>
  async (c, next) => {
    const from = performance.now();
    await next();
    const error = c.error instanceof GlimpseError ? { code: c.error.code } : {}; // a param may be the caller's text
    const milliseconds = Math.round(performance.now() - from);
    log('log', 'request', {
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      milliseconds,
      ...error,
    });
  };
