import type { MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { timingSafeEqual } from 'hono/utils/buffer';
import { GlimpseError } from '../errors.ts';
import { errorResponse } from '../routes/error-response.ts';
import type { Access } from './access.ts';
import { cacheSalt } from './cache-salt.ts';

/** Lets through whoever has a key (RFC 6750), and everybody where the deployment has none. Keys are never logged. */
export function requireApiKey(access: Access): MiddlewareHandler {
  if (access.api_keys.length === 0) {
    return async (c, next) => {
      c.set('cache_salt', await cacheSalt(access));
      await next();
    };
  }
  return bearerAuth({
    realm: 'glimpse',
    noAuthenticationHeader: refusal('An API key is needed: send the header "Authorization: Bearer <key>".'),
    invalidAuthenticationHeader: refusal('The Authorization header must read "Bearer <key>".'),
    invalidToken: refusal('The API key is not valid.'),
    async verifyToken(token, c) {
      // All are compared, so that the time tells nothing of which one matched.
      const matches = await Promise.all(access.api_keys.map((key) => timingSafeEqual(key, token)));
      if (!matches.includes(true)) return false;
      const salt = await cacheSalt(access, token);
      c.set('cache_salt', salt);
      c.set('api_key_digest', salt);
      return true;
    },
  });
}

/** The same answer for all of them: 401 in the shape of our errors, to which bearerAuth adds its challenge. */
function refusal(message: string): { readonly message: () => Response } {
  return { message: () => errorResponse(new GlimpseError('invalid_api_key', message)) };
}
