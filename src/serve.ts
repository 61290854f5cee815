/**
 * Serves a site: answers GET, and by default only to this machine.
 *
 * A site is a function from paths to answers; what a path of a request means is its alone.
 */

import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from './errors.ts';

export interface Answer {
  readonly status: 200 | 403 | 404 | 405 | 500;
  readonly type: string;
  /** Text, bytes, or a file of so many bytes. */
  readonly body: string | Uint8Array | { readonly file: string; readonly bytes: number };
  readonly headers?: Readonly<Record<string, string>>;
}

export type Site = (path: string, query: URLSearchParams) => Answer;

export interface Address {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts serving.
 *
 * @throws UsageError when the address cannot be had.
 */
export async function serveSite(site: Site, { host, port }: Address): Promise<Serving> {
  const server = createServer((request, response) => respond(request, response, site, host));
  await listen(server, host, port);
  const { port: found } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${found}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function refusal({ code, message }: NodeJS.ErrnoException, host: string, port: number): Error {
  if (code === 'EADDRINUSE')
    return new UsageError(
      `port ${port} of ${host} is taken; choose another with --port, or --port 0 for one that is free`,
    );
  if (code === 'EACCES') return new UsageError(`port ${port} of ${host} may not be used; try one above 1023`);
  return new UsageError(`cannot listen at "${host}", port ${port}: ${message}`);
}

const COMMON = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

function respond(request: IncomingMessage, response: ServerResponse, site: Site, host: string): void {
  const { status, type, body, headers } = answerTo(request, site, host);
  const isFile = typeof body === 'object' && 'file' in body;
  const length = isFile ? { 'content-length': body.bytes } : {};
  response.writeHead(status, { ...COMMON, 'content-type': type, ...length, ...headers });
  if (request.method === 'HEAD') response.end();
  else if (isFile)
    createReadStream(body.file)
      .on('error', () => response.destroy())
      .pipe(response);
  else response.end(body);
}

function answerTo(request: IncomingMessage, site: Site, host: string): Answer {
  const words = (status: Answer['status'], body: string): Answer => ({ status, type: 'text/plain', body });
  if (request.method !== 'GET' && request.method !== 'HEAD') return words(405, 'only GET');
  if (!isOwnName(request.headers.host, host)) return words(403, 'another host was asked for');
  try {
    const [path, query = ''] = (request.url ?? '/').split('?', 2);
    return site(path, new URLSearchParams(query));
  } catch (error) {
    return words(500, (error as Error).message);
  }
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** A page of elsewhere can point a name of its own at this machine; the name gives it away. Where a site is
 * offered to other machines, it has names that are not known here. */
function isOwnName(header: string | undefined, host: string): boolean {
  const isLocal = LOCAL_NAMES.includes(host) || host === '::1';
  return !isLocal || LOCAL_NAMES.includes((header ?? '').replace(/:\d+$/, ''));
}
