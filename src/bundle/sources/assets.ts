import type { Fetcher } from '@cloudflare/workers-types';
import { bodyOf, type ShardSource } from '../source.ts';

/**
 * Bundles among the Worker's static assets: the assets directory holds a folder for each. The binding
 * ignores Range, so a file is always read whole.
 */
export function assetsSource(assets: Fetcher): ShardSource {
  return {
    async fetch(path) {
      // The binding routes by path alone: the host is never looked up.
      return bodyOf(await assets.fetch(`https://assets.invalid/${path}`));
    },
  };
}
