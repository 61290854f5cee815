/**
 * What the dashboard answers to a path. Only names that were found in the folder are served: runs of its listing,
 * snapshots whose names parse, files of the page. No path of a request ever becomes a path of the disk.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSnapshotFile, runsAt } from '../runs/run-folder.ts';
import type { Answer, Site } from '../serve.ts';
import { runReport, runSummary, statsSince } from './run-report.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const JSON_TYPE = 'application/json; charset=utf-8';

/** The site of a run, or of a folder of runs. */
export function dashboardSite(root: string): Site {
  const page = pageFiles();
  return (path, query) => {
    const parts = path.split('/').slice(1).map(decoded);
    if (parts[0] === 'api') return apiAnswer(root, parts.slice(1), query);
    return page.get(path === '/' ? '/index.html' : path) ?? missing(path);
  };
}

function apiAnswer(
  root: string,
  [area, name, topic, file, ...rest]: readonly string[],
  query: URLSearchParams,
) {
  const runs = runsAt(root);
  if (area !== 'runs' || rest.length > 0) return missing(area);
  if (name === undefined) return json({ runs: [...runs].map(([key, run]) => runSummary(key, run)) });
  const run = runs.get(name);
  if (run === undefined) return missing(name);
  if (topic === undefined) return json(runReport(name, run));
  if (topic === 'stats' && file === undefined)
    return json(statsSince(run, query.get('file') ?? undefined, Math.max(0, Number(query.get('from')) || 0)));
  if (topic !== 'snapshots' || parseSnapshotFile(file ?? '') === undefined) return missing(topic);
  return picture(join(run.snapshots, file));
}

function picture(path: string): Answer {
  try {
    // The address changes with the file.
    const headers = { 'cache-control': 'max-age=31536000, immutable' };
    return { status: 200, type: 'image/png', body: readFileSync(path), headers };
  } catch {
    return missing(path);
  }
}

function json(value: unknown): Answer {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(value) };
}

function missing(what: string): Answer {
  return { status: 404, type: JSON_TYPE, body: JSON.stringify({ error: `there is no ${what}` }) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The files of the page by path, uPlot's among them. */
function pageFiles(): ReadonlyMap<string, Answer> {
  const folder = fileURLToPath(new URL('./page/', import.meta.url));
  const require = createRequire(import.meta.url);
  const paths = new Map(
    readdirSync(folder).flatMap((name) => (extname(name) in TYPES ? [[`/${name}`, join(folder, name)]] : [])),
  );
  paths.set('/uplot.js', require.resolve('uplot/dist/uPlot.esm.js'));
  paths.set('/uplot.css', require.resolve('uplot/dist/uPlot.min.css'));
  return new Map(
    [...paths].map(([path, file]) => {
      const body = readFileSync(file, 'utf8');
      const type = TYPES[extname(file)];
      return [
        path,
        { status: 200, type, body, ...(path.endsWith('.html') ? { headers: policyOf(body) } : {}) },
      ];
    }),
  );
}

/** The page may load what is served here and run no script in it but its import map. */
function policyOf(html: string): Record<string, string> {
  const [, importMap] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html) ?? [];
  const hash = createHash('sha256')
    .update(importMap ?? '')
    .digest('base64');
  return {
    'content-security-policy': `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self'; img-src 'self'; connect-src 'self'`,
  };
}
