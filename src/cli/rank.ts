/** A rank of a run other than the first: it does the iterations that it is told to, and writes nothing. */

import { workerData } from 'node:worker_threads';
import { defaultBody } from '../default-body.ts';
import { threadCollective } from '../ranks/thread-collective.ts';
import { runNetworks } from '../training/run-networks.ts';
import { adversarialMethod } from './adversarial-method.ts';
import { makeEngine } from './engine.ts';
import type { RankStart } from './ranks.ts';
import { taughtMethod } from './taught-method.ts';
import { trainerOf } from './training-run.ts';

const { rank, shared, config, engine: options, state } = workerData as RankStart;
const collective = threadCollective(rank, shared);
const engine = await makeEngine(options);
const networks = runNetworks(config, defaultBody());
const given = { config, networks, state, engine, collective, isNew: false };
const { trainer, method, residents } = await trainerOf(given, (parts) =>
  config.command === 'train' ? adversarialMethod(config, parts) : taughtMethod(config, parts),
);
const more = Float32Array.of(0);
for (;;) {
  await collective.broadcast(more);
  if (more[0] === 0) break;
  await trainer.step();
}
await method.close();
await residents.dispose();
await engine.dispose();
