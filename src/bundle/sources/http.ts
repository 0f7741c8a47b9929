import { bodyOf, type ShardSource } from '../source.ts';

/**
 * Bundles at `<base>/<bundle id>/<file name>`. Redirects are refused: `base` says where the bytes come
 * from, and nobody else may.
 * @throws TypeError where `base` is not an https URL (or an http one of this very machine)
 */
export function httpSource(base: string): ShardSource {
  const root = new URL(base.endsWith('/') ? base : `${base}/`);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(root.hostname);
  if (root.protocol !== 'https:' && !(root.protocol === 'http:' && isLocal)) {
    throw new TypeError(`A model bundle's address must start with https://, and ${base} does not.`);
  }
  return {
    async fetch(path, signal) {
      return bodyOf(await fetch(new URL(path, root), { redirect: 'manual', signal: signal ?? null }));
    },
  };
}
