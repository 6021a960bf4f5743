import type { Sample } from '../figure.ts';
import type { Suite } from '../suite.ts';
import { runWorker } from '../worker.ts';

/** What the auth service's own measurement answers; apps are not imported, so it runs by its path. */
interface Convergence {
  readonly convergedMs: number;
  readonly recordedMs: number;
  readonly sentToPicked: number;
  readonly sentToOthers: number;
  readonly rssBeforeMiB: number;
  readonly rssPeakMiB: number;
  readonly longestStallMs: number;
}

const MODULE = new URL('../../../../apps/auth/src/testing/converge-main.ts', import.meta.url);
const PICKED = 10_000;
const OTHERS = 1_000;

/**
 * CONVERGE: one selector written while 11,000 agents are connected to one control plane in a process, until
 * the 10,000 that it picks have acknowledged. The floor builds an update for each and has its agent take it.
 */
export const convergeSuite: Suite = async ({ runs }) => {
  const ours: Convergence[] = [];
  const bare: Pick<Convergence, 'convergedMs' | 'rssBeforeMiB' | 'rssPeakMiB'>[] = [];
  for (let run = 0; run < runs; run += 1) {
    bare.push(await runWorker(MODULE, { picked: PICKED, others: OTHERS, how: 'bare' }));
    ours.push(await runWorker(MODULE, { picked: PICKED, others: OTHERS, how: 'ours' }));
  }
  const samples = (read: (result: Convergence) => number): Sample[] =>
    ours.map((result) => ({ value: read(result), floor: undefined }));
  const growth = (result: Pick<Convergence, 'rssBeforeMiB' | 'rssPeakMiB'>): number =>
    result.rssPeakMiB - result.rssBeforeMiB;
  return [
    {
      name: 'converge 10,000 of 11,000: time',
      unit: 's',
      samples: ours.map((result, run) => ({
        value: result.convergedMs / 1_000,
        floor: (bare[run]?.convergedMs ?? Number.NaN) / 1_000,
      })),
      goal: { of: 'value', at: 'most', bound: 30 },
    },
    { name: 'converge: until recorded', unit: 's', samples: samples((result) => result.recordedMs / 1_000) },
    {
      name: 'converge: updates to nodes that change',
      unit: 'messages',
      samples: ours.map((result) => ({ value: result.sentToPicked, floor: PICKED })),
      goal: { of: 'ratio', at: 'most', bound: 1 },
    },
    {
      name: 'converge: updates to others',
      unit: 'messages',
      samples: samples((result) => result.sentToOthers),
      goal: { of: 'value', at: 'most', bound: 0 },
    },
    { name: 'converge: peak memory', unit: 'MiB', samples: samples((result) => result.rssPeakMiB) },
    {
      name: 'converge: memory beyond that before',
      unit: 'MiB',
      samples: ours.map((result, run) => {
        const floor = bare[run];
        return { value: growth(result), floor: floor && growth(floor) };
      }),
    },
    { name: 'converge: longest stall', unit: 'ms', samples: samples((result) => result.longestStallMs) },
  ];
};
