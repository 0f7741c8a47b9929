import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Metrics } from './metrics.ts';

/** Counts answers by the route that gave them, not by path: a path may be anything. */
export function countResponses({ onResponse }: Pick<Metrics, 'onResponse'>): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const route = routePath(c, -1);
    onResponse(c.req.method, route.includes('*') ? 'none' : route, c.res.status);
  };
}
