import type { AccessAnswer, AccessWork } from '../access-work.ts';
import type { Goal, Measured } from '../figure.ts';
import type { Suite } from '../suite.ts';
import { runWorker } from '../worker.ts';

/** A young generation that holds all that a count of allocations makes, and a way to begin with a clean heap. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

interface Case {
  readonly name: string;
  readonly work: Omit<AccessWork, 'seconds'>;
  readonly goal?: number;
}

const CASES: readonly Case[] = [
  { name: '10 roles, all held', work: { how: 'kept', roles: 10, held: 10 }, goal: 1_000_000 },
  { name: '100 roles, all held', work: { how: 'kept', roles: 100, held: 100 } },
  { name: '1,000 roles, all held', work: { how: 'kept', roles: 1000, held: 1000 }, goal: 20_000 },
  { name: '1,000 roles, 4 held', work: { how: 'kept', roles: 1000, held: 4 } },
  ...[10, 100, 1000].map((roles): Case => ({
    name: `${roles.toLocaleString('en')} roles, all held, a label changed before each`,
    work: { how: 'relabelled', roles, held: roles },
  })),
  ...[10, 100, 1000].map((roles): Case => ({
    name: `${roles.toLocaleString('en')} roles, all held, all labels renewed before each`,
    work: { how: 'renewed', roles, held: roles },
  })),
];

/** ACCESS: decisions on a node of 50 labels, no two requests in a row alike, beside the plain reference. */
export const accessSuite: Suite = async ({ runs }) => {
  const measured: Measured[] = [];
  for (const { name, work, goal } of CASES) {
    const answers: AccessAnswer[] = [];
    for (let run = 0; run < runs; run += 1) answers.push(await decideAll(name, { ...work, seconds: 2 }));
    measured.push(...figures(name, answers, goal));
  }
  return measured;
};

async function decideAll(name: string, work: AccessWork): Promise<AccessAnswer> {
  const found = await runWorker<AccessAnswer>('access', work, FLAGS);
  // Refusals end early: a rate of them alone, or of none, would say nothing.
  if (found.allowed < 0.2 || found.allowed > 0.9)
    throw new Error(`${name}: ${found.allowed} of it is allowed`);
  return found;
}

function figures(name: string, answers: readonly AccessAnswer[], bound: number | undefined): Measured[] {
  const goal: Goal | undefined = bound === undefined ? undefined : { of: 'value', at: 'least', bound };
  return [
    {
      name: `access, ${name}: decisions a CPU second`,
      unit: '/s',
      samples: answers.map(({ ours, reference }) => ({ value: ours.decisions, floor: reference.decisions })),
      ...(goal !== undefined && { goal }),
    },
    {
      name: `access, ${name}: allocated by one`,
      unit: 'B',
      samples: answers.map(({ ours, reference }) => ({
        value: ours.bytesPerDecision,
        floor: reference.bytesPerDecision,
      })),
    },
  ];
}
