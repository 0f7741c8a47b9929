import { GlimpseError } from '../errors.ts';
import { withTimeLimit } from '../time-limit.ts';
import { allowedImageUrl, refused, type HostPattern } from './policy.ts';
import { readUpTo } from './read-up-to.ts';

/** An image's encoded bytes from a URL. What they are, only decoding tells. */
export type FetchRemoteImage = (url: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;

export interface RemoteImageConfig {
  /** Whose images are fetched. None: nobody's. */
  readonly hosts: readonly HostPattern[];
  /** The runtime's, where nothing else is given. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** Bytes. */
  readonly max_bytes?: number;
  /** Milliseconds for all of it, redirects included. */
  readonly time_limit?: number;
}

const MAX_BYTES = 10 * 1024 * 1024;
const TIME_LIMIT = 10_000;
const MAX_REDIRECTS = 3;
const HEADERS = { accept: 'image/jpeg, image/png', 'user-agent': 'Glimpse' };

/**
 * Every hop of a redirect is checked like the URL itself. The errors repeat nothing of what came back, not
 * even its status, so that nobody learns through this server what lies behind a URL.
 * @throws remote_image_refused, remote_image_unavailable, image_too_large; the signal's reason
 */
export function createFetchRemoteImage({
  hosts,
  fetch = (url, init) => globalThis.fetch(url, init),
  max_bytes = MAX_BYTES,
  time_limit = TIME_LIMIT,
}: RemoteImageConfig): FetchRemoteImage {
  async function follow(url: URL, signal: AbortSignal, redirects: number): Promise<Response> {
    const response = await fetch(url, { redirect: 'manual', headers: HEADERS, signal });
    const location = response.headers.get('location');
    if (!isRedirect(response) || location === null) return response;
    await discard(response);
    if (redirects === 0) throw refused('the URL redirects too often: send the URL of the image itself');
    return follow(allowedRedirect(location, url), signal, redirects - 1);
  }

  function allowedRedirect(location: string, from: URL): URL {
    try {
      return allowedImageUrl(new URL(location, from).href, hosts);
    } catch {
      throw refused('the URL redirects to one that is not fetched here: send the image itself');
    }
  }

  async function fetchImage(url: URL, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const response = await follow(url, signal, MAX_REDIRECTS);
    if (response.status !== 200 || response.body === null) {
      await discard(response);
      throw unavailable();
    }
    const bytes = await readUpTo(max_bytes, response.body, signal);
    if (bytes === undefined) throw tooLarge(max_bytes);
    return bytes;
  }

  return async (text, signal) => {
    const url = allowedImageUrl(text, hosts);
    try {
      return await withTimeLimit((signal) => fetchImage(url, signal), time_limit, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof GlimpseError ? error : unavailable(error);
    }
  };
}

function isRedirect({ status }: Response): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function discard({ body }: Response): Promise<void> {
  await body?.cancel();
}

function unavailable(cause?: unknown): GlimpseError {
  const message =
    'image: the image could not be fetched from its URL: check the URL, or send the image itself.';
  return new GlimpseError('remote_image_unavailable', message, { param: 'image', cause });
}

function tooLarge(max_bytes: number): GlimpseError {
  const message = `image: the image at the URL has more than ${max_bytes} bytes: send a smaller one.`;
  return new GlimpseError('image_too_large', message, { param: 'image' });
}
