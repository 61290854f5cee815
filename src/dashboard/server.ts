/** The dashboard's server: reads one folder, answers GET, and by default only to this machine. */

import { existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../errors.ts';
import { runsAt } from '../runs/run-folder.ts';
import { type Answer, dashboardSite, type Site } from './site.ts';

export interface DashboardOptions {
  /** The folder of a run, or one that holds such folders. */
  readonly root: string;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface Dashboard {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts serving.
 *
 * @throws UsageError when the folder holds no run, or the address cannot be had.
 */
export async function startDashboard({ root, host, port }: DashboardOptions): Promise<Dashboard> {
  checkRoot(root);
  const site = dashboardSite(root);
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

function checkRoot(root: string): void {
  if (!existsSync(root)) throw new UsageError(`there is no folder "${root}"`);
  if (!statSync(root).isDirectory())
    throw new UsageError(
      `"${root}" is a file; the dashboard shows the folder of a run, or one that holds such folders`,
    );
  if (runsAt(root).size === 0)
    throw new UsageError(
      `"${root}" is no run and holds none: a run's folder has a config.json or a stats.jsonl, as "portraitgan train" writes them`,
    );
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
  response.writeHead(status, { ...COMMON, 'content-type': type, ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
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

/** A page of elsewhere can point a name of its own at this machine; the name gives it away. Where the dashboard is
 * offered to other machines, it has names that are not known here. */
function isOwnName(header: string | undefined, host: string): boolean {
  const isLocal = LOCAL_NAMES.includes(host) || host === '::1';
  return !isLocal || LOCAL_NAMES.includes((header ?? '').replace(/:\d+$/, ''));
}
