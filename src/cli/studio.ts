/** `portraitgan studio`: serves the page that makes portraits on the GPU of whoever opens it. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { type Answer, type Site, serveSite } from '../serve.ts';
import { requireFile } from './input.ts';
import { EMBEDDED } from './network.ts';
import { type ServingFlags, servingOptions, stay } from './serving.ts';

interface Flags extends ServingFlags {
  readonly network?: string;
}

const EXAMPLES = `
The page computes in the browser, through WebGPU; this command only hands out files, and only to this machine unless
--host says otherwise. Browsers offer WebGPU to pages of this machine and to https addresses: for others, put the
package's folder dist/studio, with a model in it as portrait.safetensors, on any server that has https.

Examples:
  portraitgan studio
  portraitgan studio --network model.safetensors --port 0`;

/** The command. */
export function studioCommand(): Command {
  const command = new Command('studio')
    .description('make and turn portraits in a browser, on its GPU')
    .option('--network <file>', 'checkpoint (.safetensors or .pkl); the embedded model without it');
  return servingOptions(command, 8361)
    .addHelpText('after', EXAMPLES)
    .action(async ({ network, port, host, json }: Flags) => {
      const { url: root } = await serveSite(studioSite(network), { host, port });
      const url = network === undefined ? root : `${root}?model=${encodeURIComponent(basename(network))}`;
      await stay(url, 'is the studio', json);
    });
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The page's files, and the model under its own name; no path of a request becomes a path of the disk. */
function studioSite(network: string | undefined): Site {
  const folder = fileURLToPath(new URL('../studio/', import.meta.url));
  if (!existsSync(join(folder, 'index.html')))
    throw new UsageError('the studio is not built: run npm run build');
  if (network !== undefined) requireFile(network, '--network');
  const answers = new Map<string, Answer>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type !== undefined)
      answers.set(`/${name}`, { status: 200, type, body: readFileSync(join(folder, name)) });
  }
  const model = network ?? fileURLToPath(EMBEDDED);
  answers.set(`/${encodeURIComponent(basename(model))}`, {
    status: 200,
    type: 'application/octet-stream',
    body: { file: model, bytes: statSync(model).size },
  });
  return (path) =>
    answers.get(path === '/' ? '/index.html' : path) ?? {
      status: 404,
      type: 'text/plain; charset=utf-8',
      body: `there is no ${path}`,
    };
}
