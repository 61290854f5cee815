/** The page of the dashboard: asks for what is new every few seconds and shows it. */

import { chartWall } from './charts.ts';
import { listRuns, type RunFeed, runFeed } from './feed.ts';
import { gallery } from './gallery.ts';
import { need, setText } from './page.ts';
import type { AxisName } from './series.ts';
import { tilesOf } from './tiles.ts';

const EVERY_MS = 3000;

const [runs, state, log] = [need('runs') as HTMLSelectElement, need('state'), need('log')];
const [axis, smoothing, logarithmic] = [
  need('axis') as HTMLSelectElement,
  need('smoothing') as HTMLInputElement,
  need('logarithmic') as HTMLInputElement,
];
const charts = chartWall(need('charts'));
const pictures = gallery();

let feed: { readonly name: string; readonly of: RunFeed } | undefined;

/** The run that the address names, else the first. */
function nameOf(names: readonly string[]): string | undefined {
  const asked = decodeURIComponent(location.hash.slice(1));
  return names.find((name) => name === asked) ?? names[0];
}

async function refresh(): Promise<void> {
  const names = (await listRuns()).runs.map(({ name }) => name);
  showNames(names);
  const name = nameOf(names);
  if (name === undefined) {
    showState('lost', 'no run is left in the folder');
    return;
  }
  if (feed?.name !== name) feed = { name, of: runFeed(name) };
  const { of } = feed;
  const report = await of.refresh();
  if (feed.of !== of) return;
  runs.value = name;
  document.title = `${name} – portraitgan`;
  pictures.show(report.snapshots);
  showLog(report.log);
  setText(need('config'), report.config ?? 'no config.json');
  showTicks();
  const last = of.ticks.at(-1);
  showState(
    'live',
    last === undefined ? 'no tick yet' : `last tick ${ago(Date.now() / 1000 - last.timestamp)}`,
  );
}

function showNames(names: readonly string[]): void {
  if ([...runs.options].map(({ value }) => value).join('\n') === names.join('\n')) return;
  runs.replaceChildren(...names.map((name) => new Option(name)));
  runs.disabled = names.length < 2;
}

function showTicks(): void {
  const ticks = feed?.of.ticks ?? [];
  need('no-ticks').hidden = ticks.length > 0;
  const last = ticks.at(-1);
  need('tiles').replaceChildren(...(last === undefined ? [] : tilesOf(last).map(tile)));
  charts.show(ticks, {
    axis: axis.value as AxisName,
    smoothing: Number(smoothing.value),
    logarithmic: logarithmic.checked,
  });
}

function tile([word, value]: [string, string]): HTMLElement {
  const box = document.createElement('div');
  const [term, description] = [document.createElement('dt'), document.createElement('dd')];
  term.textContent = word;
  description.textContent = value;
  box.append(term, description);
  return box;
}

/** Stays at the end while it is at the end. */
function showLog(text: string): void {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  if (setText(log, text || 'nothing yet') && atEnd) log.scrollTop = log.scrollHeight;
}

function showState(kind: 'live' | 'lost', words: string): void {
  state.className = kind;
  setText(state, words);
}

function ago(seconds: number): string {
  if (seconds < 60) return 'less than a minute ago';
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h ago`
    : `${Math.round(seconds / 86_400)} days ago`;
}

async function follow(): Promise<void> {
  for (;;) {
    await update();
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function update(): Promise<void> {
  try {
    await refresh();
  } catch (error) {
    // Programs of ours that fail are not to be taken for a server that is gone.
    if (!(error instanceof TypeError) || !/fetch|network/i.test(error.message)) console.error(error);
    showState('lost', 'no answer: is the dashboard still running?');
  }
}

runs.addEventListener('change', () => {
  location.hash = encodeURIComponent(runs.value);
});
window.addEventListener('hashchange', update);
for (const control of [axis, smoothing, logarithmic]) control.addEventListener('input', showTicks);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  charts.forget();
  showTicks();
});
await follow();
