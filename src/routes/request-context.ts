import type { Context } from 'hono';
import type { RequestContext } from '../pipeline/request-context.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Set by `requireApiKey`. */
    cache_salt: string | undefined;
    /** Tells one API key from another. Set by `requireApiKey` where there are keys. */
    api_key_digest: string | undefined;
    /** What the request holds is given back when these have settled. Set by `admitRequests`. */
    work: Promise<unknown>[] | undefined;
  }
}

/** What the pipeline needs to know of the HTTP request that it works for. */
export function requestContext(c: Context): RequestContext {
  const cache_salt = c.get('cache_salt');
  return {
    signal: c.req.raw.signal,
    waitUntil: waitUntil(c),
    ...(cache_salt === undefined ? {} : { cache_salt }),
  };
}

function waitUntil(c: Context): RequestContext['waitUntil'] {
  const work = c.get('work');
  const outlive = outliving(c);
  return (promise) => {
    work?.push(promise);
    outlive(promise);
  };
}

function outliving(c: Context): RequestContext['waitUntil'] {
  try {
    const { executionCtx } = c;
    return (promise) => executionCtx.waitUntil(promise);
  } catch {
    return () => undefined; // Outside a Worker nobody ends the process under a promise.
  }
}
