/**
 * The studio: a person from a seed, seen from all sides, computed on the GPU of whoever looks.
 *
 * The address may say `model` (a checkpoint's URL; the model beside the page without it), `seed` and `truncation`.
 */

import type { LoadedNetwork } from '../src/browser.ts';
import { GpuError } from '../src/engines/webgpu/index.ts';
import { latestOnly } from './latest.ts';
import { type Machine, openMachine } from './machine.ts';
import { fetchModel } from './model.ts';
import { FRONT, moved, type Orbit, turned, watchOrbit } from './orbit.ts';
import { describe, megabytes, need } from './page.ts';
import { labelOf, type Person, paint, type Sitting, sittingFor } from './portrait.ts';
import { type Trouble, troubleOf } from './trouble.ts';

const DEFAULT_MODEL = './portrait.safetensors';
/** New persons have seeds below this: short enough to remember. */
const NEW_SEEDS = 100_000;

const [stage, canvas] = [need('stage'), need<HTMLCanvasElement>('portrait')];
const [seed, truncation] = [need<HTMLInputElement>('seed'), need<HTMLInputElement>('truncation')];
const [handle, turn] = [need('handle'), need<HTMLButtonElement>('turn')];
const asked = new URLSearchParams(location.search);
const model = asked.get('model') || DEFAULT_MODEL;

let network: LoadedNetwork | undefined;
let machine: (Machine & { readonly sitting: Sitting }) | undefined;
let orbit: Orbit = FRONT;
/** When the last step of a turn was drawn; undefined while nothing turns. */
let turningSince: number | undefined;
let frames = 0;
let frameMs: number | undefined;
/** Milliseconds from the page's beginning. */
const times: { modelLoaded?: number; deviceOpen?: number; firstPicture?: number } = {};

const drawing = latestOnly(draw, fail);

/** Draws the person and the view that are wanted now. */
async function draw(): Promise<void> {
  const at = machine;
  if (at === undefined) return;
  try {
    if (stage.dataset.state === 'shown') setState('busy');
    const parts = await at.sitting.partsOf(personWanted());
    if (turningSince !== undefined) turnOn(turningSince);
    const [from, compiling] = [performance.now(), at.compiled().ms];
    paint(canvas, await at.generator.picture(parts, labelOf(orbit)));
    frameMs = performance.now() - from - (at.compiled().ms - compiling);
  } catch (error) {
    // Of a device that was given up meanwhile.
    if (machine !== at) return;
    throw error;
  }
  frames++;
  times.firstPicture ??= performance.now();
  setState('shown');
  showStatus(at);
  if (turningSince !== undefined) drawing.request();
}

function personWanted(): Person {
  return { seed: seed.valueAsNumber, psi: truncation.valueAsNumber };
}

function turnOn(since: number): void {
  const now = performance.now();
  orbit = turned(orbit, now - since);
  turningSince = now;
  showView();
}

/** Gets what is missing, and draws: the way to begin and the way back after a failure. */
async function start(): Promise<void> {
  showTrouble(undefined);
  setState('waiting');
  try {
    network ??= await fetchModel(model, (done, total) =>
      wait(`Loading the model: ${megabytes(done)}${total === undefined ? '' : ` of ${megabytes(total)}`}`),
    );
    times.modelLoaded ??= performance.now();
    wait('Opening the GPU');
    const opened = await openMachine(network, (program, done, total) =>
      wait(done < total ? `Compiling shaders of “${program}”: ${done} of ${total}` : 'Computing'),
    );
    times.deviceOpen ??= performance.now();
    machine = { ...opened, sitting: sittingFor(opened.generator) };
    void opened.device.lost.then(({ message }) => {
      if (machine?.device === opened.device) fail(new GpuError('lost', message));
    });
    need('model').textContent = `${nameOfModel()}, ${opened.generator.config.resolution} px`;
    wait('Preparing');
    drawing.request();
  } catch (error) {
    fail(error);
  }
}

function nameOfModel(): string {
  return decodeURIComponent(new URL(model, location.href).pathname.split('/').pop() ?? model);
}

function setState(state: 'waiting' | 'busy' | 'shown' | 'failed'): void {
  stage.dataset.state = state;
  stage.ariaBusy = String(state === 'waiting' || state === 'busy');
}

/** Words in place of the picture, until there is one. */
function wait(words: string): void {
  need('waiting').textContent = words;
}

/** Gives the device up and says why. */
function fail(error: unknown): void {
  const before = machine;
  machine = undefined;
  before?.dispose().catch(() => undefined);
  drawing.cancel();
  setTurning(false);
  showTrouble(troubleOf(error));
  setState('failed');
}

function showTrouble(trouble: Trouble | undefined): void {
  need('trouble').hidden = trouble === undefined;
  need('trouble-words').textContent = trouble?.words ?? '';
  need('trouble-details').textContent = trouble?.details ?? '';
}

function showStatus({ adapter, isSoftware, engine, compiled }: Machine): void {
  const { shaders, ms } = compiled();
  const { arena, held, pooled } = engine.memory();
  describe(need('status'), [
    ['adapter', isSoftware ? `${adapter} (no GPU: computed on the CPU)` : adapter],
    ['frame', frameMs === undefined ? undefined : `${frameMs.toFixed(frameMs < 10 ? 1 : 0)} ms`],
    ['memory', megabytes(arena + held + pooled)],
    ['shaders', `${shaders} in ${(ms / 1000).toFixed(1)} s`],
  ]);
}

function showView(): void {
  const { yaw, pitch } = orbit;
  const sides = ['front', 'left side', 'back', 'right side'];
  const side = sides[((Math.round(yaw / 90) % 4) + 4) % 4];
  const words = `${side}, ${Math.round(yaw)}°, ${Math.round(pitch)}°`;
  need('view').textContent = words;
  handle.setAttribute('aria-valuenow', String(Math.round(yaw)));
  handle.setAttribute('aria-valuetext', words);
}

function showTruncation(): void {
  need('truncation-value').textContent = truncation.valueAsNumber.toFixed(2);
}

function setTurning(on: boolean): void {
  turningSince = on ? performance.now() : undefined;
  turn.setAttribute('aria-pressed', String(on));
}

/** Draws the person that the controls say, and keeps it in the address. */
function changePerson(): void {
  if (!seed.checkValidity() || seed.value === '') return;
  showTruncation();
  const query = new URLSearchParams(location.search);
  query.set('seed', seed.value);
  query.set('truncation', truncation.value);
  history.replaceState(null, '', `?${query}`);
  drawing.request();
}

function changeView(next: Orbit): void {
  orbit = next;
  showView();
  drawing.request();
}

seed.value = asked.get('seed') ?? '0';
truncation.value = asked.get('truncation') ?? '0.7';
if (!seed.checkValidity() || seed.value === '') seed.value = '0';
showTruncation();
showView();
seed.addEventListener('change', changePerson);
truncation.addEventListener('input', changePerson);
need('controls').addEventListener('submit', (event) => event.preventDefault());
need('new-seed').addEventListener('click', () => {
  seed.value = String(Math.floor(Math.random() * NEW_SEEDS));
  changePerson();
});
need('front').addEventListener('click', () => changeView(FRONT));
turn.addEventListener('click', () => {
  setTurning(turningSince === undefined);
  drawing.request();
});
watchOrbit(handle, (by) => changeView(by === 'front' ? FRONT : moved(orbit, by)));
need('again').addEventListener('click', start);

/** What a console may look at, and tests do. */
Object.assign(globalThis, {
  studio: {
    times,
    frames: () => frames,
    isDrawing: () => drawing.isBusy(),
    machine: () => machine,
    /** All maps of the person and the view that are wanted now. */
    view: async () => {
      const at = machine;
      if (at === undefined) throw new Error('there is no device');
      return at.generator.view(await at.sitting.partsOf(personWanted()), labelOf(orbit));
    },
  },
});

await start();
