import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { Access } from './access.ts';

const A_DAY = 24 * 60 * 60; // seconds

/** CORS for the origins that are allowed. Where there are none: no headers, and pages of other origins read nothing. */
export function crossOrigin({ cors_origins }: Access): MiddlewareHandler {
  if (cors_origins.length === 0) return (_, next) => next();
  return cors({
    origin: [...cors_origins],
    allowMethods: ['GET', 'POST'],
    allowHeaders: [], // whatever is asked for: the openai client sends a dozen of its own
    exposeHeaders: ['retry-after'],
    maxAge: A_DAY,
  });
}
