import { findBoto3, scanWithBoto3 } from '../boto3.ts';
import type { Boto3Scan } from '../boto3.ts';
import { estateFigures } from '../discovery/estate-figures.ts';
import type { Measured } from '../figure.ts';
import type { Suite } from '../suite.ts';
import { startSimulator } from '../servers.ts';
import type { Cost } from '../worker.ts';
import { runWorker } from '../worker.ts';

const INSTANCES = 100_000;

interface Scan {
  readonly cost: Cost;
  readonly instances: number;
  readonly requests: number;
  /** The most CPU that the event loop had between two looks at it, 10 ms apart. */
  readonly loopCpuMs: number;
}

interface Run {
  readonly ours: Scan;
  readonly bare: Scan;
  readonly boto3: Boto3Scan | undefined;
}

/**
 * DISCOVERY: all instances of a region through libs/ec2, beside a bare loop over the SDK's paginator and
 * beside boto3's, on one endpoint; then the discovery process over an estate of accounts and regions.
 */
export const discoverySuite: Suite = async ({ runs, instances = INSTANCES }) => [
  ...(await scanFigures(runs, instances)),
  ...(await estateFigures(instances)),
];

async function scanFigures(runs: number, instances: number): Promise<Measured[]> {
  const python = await findBoto3();
  if (python === undefined) process.stderr.write('no python3 with boto3 here: it is left out\n');
  await using simulator = await startSimulator(instances);
  const all: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    const bare = await runWorker<Scan>('scan', { endpoint: simulator.url, how: 'bare' });
    const ours = await runWorker<Scan>('scan', { endpoint: simulator.url, how: 'ours' });
    const boto3 = python === undefined ? undefined : await scanWithBoto3(python, simulator.url);
    for (const scan of [bare, ours, boto3]) {
      if (scan !== undefined && scan.instances !== instances) {
        throw new Error(`a scan found ${scan.instances} of ${instances} instances`);
      }
    }
    all.push({ bare, ours, boto3 });
  }
  return [...besideSdk(all, instances), ...besideBoto3(all, instances)];
}

function besideSdk(runs: readonly Run[], instances: number): Measured[] {
  const figure = (name: string, unit: string, read: (scan: Scan) => number): Measured => ({
    name: `discovery, ${instances} in a region, beside the SDK’s paginator: ${name}`,
    unit,
    samples: runs.map(({ ours, bare }) => ({ value: read(ours), floor: read(bare) })),
  });
  return [
    { ...figure('CPU', 's', ({ cost }) => cost.cpuSeconds), goal: { of: 'ratio', at: 'most', bound: 0.2 } },
    {
      ...figure('longest stall, in CPU of the loop', 'ms', ({ loopCpuMs }) => loopCpuMs),
      goal: { of: 'value', at: 'most', bound: 60 },
    },
    figure('longest stall, by the clock', 'ms', ({ cost }) => cost.longestStallMs),
    figure('wall', 's', ({ cost }) => cost.wallSeconds),
    figure('peak RSS', 'MiB', ({ cost }) => cost.peakRssMiB),
    figure('requests', '', ({ requests }) => requests),
  ];
}

function besideBoto3(runs: readonly Run[], instances: number): Measured[] {
  const pairs = runs.flatMap(({ ours, boto3 }) => (boto3 === undefined ? [] : [{ ours, boto3 }]));
  if (pairs.length === 0) return [];
  const figure = (
    name: string,
    unit: string,
    of: (scan: Scan) => number,
    floor: (scan: Boto3Scan) => number,
  ) => ({
    name: `discovery, ${instances} in a region, beside boto3’s paginator: ${name}`,
    unit,
    samples: pairs.map(({ ours, boto3 }) => ({ value: of(ours), floor: floor(boto3) })),
  });
  return [
    figure(
      'CPU',
      's',
      ({ cost }) => cost.cpuSeconds,
      ({ cpuSeconds }) => cpuSeconds,
    ),
    figure(
      'wall',
      's',
      ({ cost }) => cost.wallSeconds,
      ({ wallSeconds }) => wallSeconds,
    ),
    figure(
      'peak RSS',
      'MiB',
      ({ cost }) => cost.peakRssMiB,
      ({ peakRssMiB }) => peakRssMiB,
    ),
    figure(
      'requests',
      '',
      ({ requests }) => requests,
      ({ requests }) => requests,
    ),
  ];
}
