import type { Measured } from '../figure.ts';
import type { Suite } from '../suite.ts';
import { startSimulator } from '../servers.ts';
import type { Cost } from '../worker.ts';
import { runWorker } from '../worker.ts';

const INSTANCES = 100_000;

/** SCAN: all instances of a region through the SDK, beside a bare loop over its paginator. */
export const scanSuite: Suite = async ({ runs }) => {
  await using simulator = await startSimulator(INSTANCES);
  const pairs: { bare: Cost; ours: Cost }[] = [];
  for (let run = 0; run < runs; run += 1) {
    pairs.push({ bare: await scan(simulator.url, 'bare'), ours: await scan(simulator.url, 'ours') });
  }
  const figure = (name: string, unit: string, read: (cost: Cost) => number): Measured => ({
    name,
    unit,
    samples: pairs.map(({ bare, ours }) => ({ value: read(ours), floor: read(bare) })),
  });
  return [
    {
      ...figure('scan 100,000: CPU', 's', (cost) => cost.cpuSeconds),
      goal: { of: 'ratio', at: 'most', bound: 1.15 },
    },
    {
      ...figure('scan 100,000: peak RSS', 'MiB', (cost) => cost.peakRssMiB),
      goal: { of: 'value', at: 'most', bound: 450 },
    },
    figure('scan 100,000: longest stall', 'ms', (cost) => cost.longestStallMs),
    figure('scan 100,000: wall', 's', (cost) => cost.wallSeconds),
  ];
};

async function scan(endpoint: string, how: 'bare' | 'ours'): Promise<Cost> {
  const { cost, instances } = await runWorker<{ cost: Cost; instances: number }>('scan', { endpoint, how });
  if (instances !== INSTANCES)
    throw new Error(`the ${how} scan found ${instances} of ${INSTANCES} instances`);
  return cost;
}
