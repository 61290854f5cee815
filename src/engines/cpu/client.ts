/**
 * The side that asks: starts the worker, carries plans and arrays to it, and turns its answers into promises.
 *
 * Inputs are copied once and handed over; the caller's arrays stay as they are. The worker keeps the process
 * alive only while an answer is due.
 */

import { Worker } from 'node:worker_threads';
import { EngineError } from '../../errors.ts';
import { workerUrl } from '../../worker-url.ts';
import type { Plan } from '../onnx/plan.ts';
import type { Backend } from '../onnx/plan-engine.ts';
import type { Data, LoadedProgram } from '../shared-engine.ts';
import type { Reply, Request, WorkerOptions } from './protocol.ts';

interface Waiting {
  resolve(outputs: Record<string, Data>): void;
  reject(error: Error): void;
}

/** What one started worker offers. */
interface Connection {
  ask(request: Unnumbered, transfer: readonly ArrayBuffer[]): Promise<Record<string, Data>>;
  end(): Promise<void>;
  readonly alive: boolean;
}

type Unnumbered = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** The worker of this engine. */
export function builtWorker(): URL {
  return workerUrl('engines/cpu/worker');
}

/** The backend of the cpu engine. The worker starts with the first program, and again after a crash.
 *
 * @param url what the worker runs; tests give another.
 */
export function workerBackend(options: WorkerOptions, url: () => URL = builtWorker): Backend {
  let connection: Connection | undefined;
  let count = 0;
  const asked = (): Connection['ask'] => {
    if (connection === undefined || !connection.alive) connection = connect(options, url());
    return connection.ask;
  };
  let blockSize: Promise<number | undefined> | undefined;
  return {
    name: 'cpu',
    blockSize: () => {
      blockSize ??= asked()({ kind: 'probe' }, []).then(({ block }) => block[0] || undefined);
      // A crash is no answer: the next worker is asked again.
      blockSize.catch(() => {
        blockSize = undefined;
      });
      return blockSize;
    },
    load: async (plan): Promise<LoadedProgram> => {
      const ask = asked();
      const program = count++;
      // Not the plan itself: it refers to the weights, which the caller may want to let go.
      const names = plan.inputs.map(({ name }) => name);
      const [carried, transfer] = carriedPlan(plan);
      await ask({ kind: 'load', program, plan: carried }, transfer);
      return {
        run: (inputs, keep, donated) => {
          const buffers: ArrayBuffer[] = [];
          const carry = (value: Data | number): Data | number => {
            if (typeof value === 'number') return value;
            const copy = value.slice();
            buffers.push(copy.buffer as ArrayBuffer);
            return copy;
          };
          const carried = Object.fromEntries(names.map((name) => [name, carry(inputs[name])]));
          return ask({ kind: 'run', program, inputs: carried, keep, donated }, buffers);
        },
        release: async () => {
          await ask({ kind: 'release', program }, []).catch(() => undefined);
        },
      };
    },
    upload: async (value, data) => {
      const copy = data.slice();
      await asked()({ kind: 'upload', value, data: copy }, [copy.buffer as ArrayBuffer]);
    },
    download: async (value) => (await asked()({ kind: 'download', value }, [])).value,
    drop: async (value) => {
      if (connection?.alive) await connection.ask({ kind: 'drop', value }, []);
    },
    dispose: async () => {
      await connection?.end();
    },
  };
}

/** A plan whose long arrays can be handed over: models are its own, resident weights are copied. */
function carriedPlan(plan: Plan): [Plan, ArrayBuffer[]] {
  const resident = plan.resident.map(({ offset, data }) => ({ offset, data: data.slice() }));
  const models = [...plan.prologue, ...plan.steps].flatMap((step) =>
    step.kind === 'segment' ? [step.model.buffer] : [],
  );
  return [{ ...plan, resident }, [...models, ...resident.map(({ data }) => data.buffer)]];
}

function connect(options: WorkerOptions, url: URL): Connection {
  // Without the parent's own flags: `--input-type` and loaders are not for the worker.
  const worker = new Worker(url, { workerData: options, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let death: EngineError | undefined;
  const settle = (id: number): Waiting | undefined => {
    const entry = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return entry;
  };
  const die = (reason: string): void => {
    death ??= new EngineError(`the cpu engine's worker ${reason}: compile the programs again`);
    for (const entry of waiting.values()) entry.reject(death);
    waiting.clear();
  };
  worker.unref();
  worker.on('message', (reply: Reply) => {
    const entry = settle(reply.id);
    if ('failure' in reply) entry?.reject(new EngineError(reply.failure));
    else entry?.resolve(reply.outputs);
  });
  worker.on('messageerror', (error) => die(`sent what cannot be read (${error.message})`));
  worker.on('error', (error) => die(`crashed (${error.message})`));
  worker.on('exit', (code) => die(`ended with code ${code}`));
  return {
    ask: (request, transfer) =>
      new Promise((resolve, reject) => {
        if (death !== undefined) {
          reject(death);
          return;
        }
        const id = count++;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ ...request, id }, transfer);
      }),
    end: async () => {
      die('was ended by dispose()');
      await worker.terminate();
    },
    get alive() {
      return death === undefined;
    },
  };
}
