import { expect, test } from 'vitest';
import { allowedImageUrl } from '../../src/remote-image/policy.ts';

const HOSTS = ['images.example.com', '*.example.org'];

const refusal = (url: string, hosts: readonly string[] = HOSTS): string => {
  try {
    return `allowed ${allowedImageUrl(url, hosts).href}`;
  } catch (error) {
    const { code, param, message } = error as { code: string; param: string; message: string };
    return `${code} ${param} ${message}`;
  }
};

test.each([
  ['https://images.example.com/a.jpg', 'https://images.example.com/a.jpg'],
  ['https://images.example.com:443/a.jpg?x=1', 'https://images.example.com/a.jpg?x=1'],
  ['HTTPS://Images.Example.COM/a.jpg', 'https://images.example.com/a.jpg'],
  ['https://a.example.org/a.jpg', 'https://a.example.org/a.jpg'],
  ['https://a.b.example.org/a.jpg', 'https://a.b.example.org/a.jpg'],
])('%s may be fetched', (url, href) => {
  expect(refusal(url)).toBe(`allowed ${href}`);
});

test.each([
  ['http://images.example.com/a.jpg', 'https://'],
  ['ftp://images.example.com/a.jpg', 'https://'],
  ['file:///etc/passwd', 'https://'],
  ['https://', 'cannot be read'],
  ['https://user@images.example.com/', 'user name'],
  ['https://:secret@images.example.com/', 'user name'],
  ['https://images.example.com:8443/', 'port'],
  ['https://images.example.com:80/', 'port'],
  ['https://example.org/', 'this host'],
  ['https://evilexample.org/', 'this host'],
  ['https://images.example.com.evil.net/', 'this host'],
  ['https://images.example.com./', 'this host'],
  ['https://evil.net/images.example.com', 'this host'],
  ['https://evil.net#images.example.com', 'this host'],
  ['https://evil.net\\.images.example.com/', 'this host'],
])('%s is refused: %s', (url, why) => {
  expect(refusal(url)).toMatch(/^remote_image_refused image /);
  expect(refusal(url)).toContain(why);
});

// Refused even where a deployment allows them.
const ADDRESSES = [
  ...[
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0177.0.0.1',
    '127.1',
    '0',
    '0.0.0.0',
  ],
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '0xa9fea9fe', '2852039166', '100.64.0.1'],
  ...['8.8.8.8', '127。0。0。1', '①②⑦.⓪.⓪.①', '%31%32%37.0.0.1', '127.0.0.1.'],
  ...[
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
  ],
  ...['[0:0:0:0:0:ffff:10.0.0.1]', '[64:ff9b::7f00:1]', '[2001:db8::1]'],
];
test.each(ADDRESSES)('the address %s is refused', (host) => {
  const { hostname } = new URL(`https://${host}/`);
  expect(refusal(`https://${host}/latest/meta-data`, [hostname, '*.1', '*.254'])).toContain(
    'not an IP address',
  );
});

test.each([
  ...['localhost', 'LOCALHOST', 'a.localhost', 'localhost.', 'intranet', 'printer.local', 'router.home.arpa'],
  ...[
    'metadata.google.internal',
    'metadata.google.internal.',
    'api.internal',
    'metadata',
    'localhost.localdomain',
  ],
])('the private name %s is refused', (host) => {
  const { hostname } = new URL(`https://${host}/`);
  expect(refusal(`https://${host}/`, [hostname, '*.local', '*.internal', '*.arpa'])).toContain(
    'a public host',
  );
});

test('all are refused where no host is allowed', () => {
  expect(refusal('https://images.example.com/a.jpg', [])).toContain('not fetched here: send the image');
});
