import { GlimpseError } from '../errors.ts';

/** An exact host, or `*.suffix` for all hosts under it (not for the suffix itself). */
export type HostPattern = string;

/** Names that are no public host: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, which clouds use for metadata. */
const PRIVATE_SUFFIXES = ['localhost', 'localdomain', 'local', 'internal', 'home.arpa', 'invalid', 'test'];

/**
 * The URL of an image that may be fetched. What a public name resolves to is not seen here: the Worker runs
 * in Cloudflare's network, whose fetch reaches the public internet alone, and `hosts` says whom to trust.
 * @param text as the caller or a redirect wrote it
 * @throws remote_image_refused: not https, with credentials or a port, an address or a private name in place
 * of a public one, or a host that is not allowed
 */
export function allowedImageUrl(text: string, hosts: readonly HostPattern[]): URL {
  if (hosts.length === 0) {
    throw refused('image URLs are not fetched here: send the image as a data URL or upload it');
  }
  // The parser brings hosts into one form: 2130706433, 0x7f.1 and 127。0。0。1 are all 127.0.0.1 afterwards.
  const url = URL.parse(text);
  if (url === null) throw refused('the URL cannot be read');
  const { protocol, username, password, port, hostname } = url;
  if (protocol !== 'https:') throw refused('the URL must start with https://');
  if (username !== '' || password !== '') throw refused('the URL must carry no user name and no password');
  if (port !== '') throw refused('the URL must name no port');
  if (isAddress(hostname)) throw refused('the URL must name a host, not an IP address');
  if (isPrivateName(hostname)) throw refused('the URL must name a public host');
  if (!hosts.some((pattern) => matches(hostname, pattern))) {
    throw refused('images of this host are not fetched here: send the image itself');
  }
  return url;
}

/** Of a host as URLs have it after parsing: IPv6 in brackets, IPv4 as four decimal numbers. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+(\.\d+){3}$/.test(hostname);
}

function isPrivateName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, ''); // the root: the same host
  return (
    !name.includes('.') || PRIVATE_SUFFIXES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))
  );
}

function matches(hostname: string, pattern: HostPattern): boolean {
  const host = pattern.toLowerCase();
  return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
}

export function refused(why: string): GlimpseError {
  return new GlimpseError('remote_image_refused', `image: ${why}.`, { param: 'image' });
}
