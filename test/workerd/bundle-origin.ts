import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTPS origin of bundles, but for the S. */
export interface Origin {
  readonly url: string;
  close(): void;
}

/** @param folder where bundles lie */
export async function startOrigin(folder: string): Promise<Origin> {
  const server = createServer((request, response) => {
    readFile(`${folder}${request.url ?? ''}`).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
