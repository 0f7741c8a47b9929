import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface MisbehavingServer {
  readonly origin: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const SECRET = 'what only the remote knows';

/** A host that does each thing that a host should not, by path. */
export async function misbehave(image: Uint8Array): Promise<MisbehavingServer> {
  const redirect =
    (location: string, status = 302): Handler =>
    (_, response) =>
      response.writeHead(status, { location }).end(SECRET);
  const forEver = (response: ServerResponse, chunk: Uint8Array | string, every: number): void => {
    const timer = setInterval(() => response.write(chunk), every);
    response.on('close', () => clearInterval(timer));
  };
  const handlers: Readonly<Record<string, Handler>> = {
    '/image': (_, response) => response.end(image),
    '/text-by-type': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(image),
    '/image-by-type': (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(SECRET),
    '/moved': redirect('/image'),
    '/moved-there-and-back': redirect('https://cdn.example.org/moved', 307),
    '/moved-to-private': redirect('https://169.254.169.254/latest/meta-data'),
    '/moved-to-name': redirect('https://metadata.google.internal/'),
    '/moved-to-http': redirect('http://images.example.com/image'),
    '/moved-to-port': redirect('https://images.example.com:8443/image'),
    '/moved-to-other': redirect('https://evil.net/image'),
    '/moved-nowhere': (_, response) => response.writeHead(302).end(SECRET),
    '/moved-to-nonsense': redirect('https://['),
    '/loop': redirect('/loop'),
    '/hops/1': redirect('/image'),
    '/hops/2': redirect('/hops/1'),
    '/hops/3': redirect('/hops/2'),
    '/hops/4': redirect('/hops/3'),
    '/404': (_, response) => response.writeHead(404).end(SECRET),
    '/500': (_, response) => response.writeHead(500, SECRET).end(SECRET),
    '/206': (_, response) => response.writeHead(206).end(image.subarray(0, 100)),
    '/304': (_, response) => response.writeHead(304).end(),
    '/empty': (_, response) => response.end(),
    '/huge-said': (_, response) => {
      response.writeHead(200, { 'content-length': 2 ** 40 });
      forEver(response, new Uint8Array(2 ** 16), 0);
    },
    '/huge': (_, response) => forEver(response, new Uint8Array(2 ** 16), 0),
    '/longer-than-said': (_, response) => {
      response.socket?.end(
        `HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n${SECRET.repeat(9)}`,
      );
    },
    '/shorter-than-said': (_, response) => {
      response.writeHead(200, { 'content-length': image.length + 10 });
      response.write(image, () => response.socket?.destroy());
    },
    '/silent': () => undefined,
    '/stalls': (_, response) => response.write(image.subarray(0, 100)),
    '/drips': (_, response) => forEver(response, 'x', 50),
    '/hangs-up': (_, response) => response.socket?.destroy(),
    '/no-http': (_, response) => response.socket?.end(SECRET),
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    handlers[request.url ?? '']?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
