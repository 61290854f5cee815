/** Serves the repository's files to a page, with the headers that allow threads. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves a folder on a port of the system's choice; `close` ends it. */
export async function serveFolder(root: URL): Promise<{ origin: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    // The URL constructor resolves `..` away, so that nothing above the folder is reached.
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    try {
      const body = await readFile(new URL(`.${path}`, root));
      response.writeHead(200, {
        'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}
