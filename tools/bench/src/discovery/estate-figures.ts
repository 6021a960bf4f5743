import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startService, waitFor } from '@tagplane/harness';
import type { ManagedProcess } from '@tagplane/harness';
import { parseRegion } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';
import type { Measured } from '../figure.ts';
import { startEmbeddedAuth, startEstateSimulator } from '../servers.ts';
import { cpuSecondsOf } from '../worker.ts';
import { fillStore } from './fill.ts';
import { peakRssMiBOf, read } from './watched-discovery.ts';
import type { Reading, WatchedDiscovery } from './watched-discovery.ts';

const ACCOUNTS = 40;
const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-1'].map(regionOf);
const SCOPES = ACCOUNTS * REGIONS.length;
const ROLE = 'TagplaneDiscovery';
const GROUP = 'bench';
/** Longer than a round of scans takes, so that a cycle is one round of every scope. */
const POLL_INTERVAL_S = 60;
const CYCLES = 2;
/** To be asked for metrics costs it CPU as well. */
const EVERY_MS = 1_000;
const PHASE_TIMEOUT_MS = 30 * 60_000;

/** What was seen of the process over its first round of scans, and over the cycles after it. */
interface Estate {
  readonly scanSeconds: number;
  readonly scanCpuSeconds: number;
  readonly cycleCpuSeconds: number;
  readonly peakRssMiB: number;
  readonly quotaUsed: number;
  readonly last: Reading;
}

/**
 * The discovery process over 40 accounts in 5 regions, with the auth service and its embedded store. The
 * store is filled before with what discovery would send, which paces it over 15 minutes: so this is a
 * restart with a warm start, the scans of every scope, and the cycles after it.
 */
export async function estateFigures(instances: number): Promise<Measured[]> {
  const estate = await measureEstate(instances);
  const { last } = estate;
  const figure = (name: string, unit: string, value: number, most?: number): Measured => ({
    name: `discovery, ${last.instances} in ${ACCOUNTS} accounts × ${REGIONS.length} regions: ${name}`,
    unit,
    samples: [{ value, floor: undefined }],
    ...(most === undefined ? {} : { goal: { of: 'value', at: 'most', bound: most } }),
  });
  return [
    figure('from start to the last scope’s first complete scan, after a warm start', 's', estate.scanSeconds),
    figure('CPU of that', 's', estate.scanCpuSeconds),
    figure('CPU of a cycle in which nothing changed', 's', estate.cycleCpuSeconds),
    figure('upserts of a restart and the cycles after it', '', last.upserts, 0),
    figure('peak RSS', 'MiB', estate.peakRssMiB, 400),
    figure('share of EC2’s rate used, in the place where it was greatest', '', estate.quotaUsed, 0.25),
    figure('requests to EC2', '', last.requests),
    figure('requests that EC2 throttled', '', last.throttles, 0),
  ];
}

async function measureEstate(instances: number): Promise<Estate> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-bench-'));
  try {
    await using simulator = await startEstateSimulator({
      instances,
      accounts: ACCOUNTS,
      regions: REGIONS,
      role: ROLE,
    });
    await using auth = await startEmbeddedAuth(join(folder, 'auth.db'));
    const accounts = await simulator.accounts();
    const { port } = auth;
    const filled = await fillStore({
      endpoint: simulator.url,
      port,
      group: GROUP,
      role: ROLE,
      accounts,
      regions: REGIONS,
    });
    const diagnosticsPort = await freePort();
    const config = join(folder, 'discovery.yaml');
    await writeFile(config, configText({ port, diagnosticsPort, accounts }));
    await using discovery = await startService(
      'discovery',
      'discovery',
      { CONFIG: config },
      awsVariables(simulator.url),
    );
    return await watch({ process: discovery, diagnosticsPort, instances: filled });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** YAML reads JSON. */
function configText(at: { port: number; diagnosticsPort: number; accounts: readonly string[] }): string {
  return JSON.stringify({
    name: GROUP,
    auth: { address: `127.0.0.1:${at.port}` },
    tls: { mode: 'insecure' },
    diagnostics: `127.0.0.1:${at.diagnosticsPort}`,
    poll_interval: `${POLL_INTERVAL_S}s`,
    log_level: 'warn',
    aws: [{ accounts: at.accounts, assume_role: { role_name: ROLE }, regions: REGIONS }],
  });
}

function awsVariables(url: string): Record<string, string> {
  return { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDBENCH', AWS_SECRET_ACCESS_KEY: 'bench' };
}

async function watch(at: {
  process: ManagedProcess;
  diagnosticsPort: number;
  instances: number;
}): Promise<Estate> {
  const { pid } = at.process;
  const watched: WatchedDiscovery = { pid, diagnosticsPort: at.diagnosticsPort };
  const startedAt = performance.now();
  let quotaUsed = 0;
  const until = async (what: string, holds: (reading: Reading) => boolean): Promise<Reading> => {
    let reading: Reading | undefined;
    await waitFor(
      what,
      async () => {
        if (!at.process.running()) return true;
        reading = await read(watched);
        quotaUsed = Math.max(quotaUsed, reading.quotaUsed);
        return holds(reading);
      },
      { timeoutMs: PHASE_TIMEOUT_MS, everyMs: EVERY_MS },
    );
    if (!at.process.running()) throw new Error(`discovery ended: ${at.process.output.join('\n')}`);
    if (reading === undefined) throw new Error(`nothing was read: ${what}`);
    return reading;
  };
  await until('every scope is scanned', ({ instances }) => instances === at.instances);
  const scanSeconds = (performance.now() - startedAt) / 1_000;
  const scanCpuSeconds = cpuSecondsOf(pid);
  const first = await read(watched);
  const last = await until(
    `${CYCLES} more cycles are complete`,
    ({ completeScans }) => completeScans >= first.completeScans + CYCLES * SCOPES,
  );
  const rounds = (last.completeScans - first.completeScans) / SCOPES;
  const cycleCpuSeconds = (cpuSecondsOf(pid) - scanCpuSeconds) / rounds;
  if (last.failedScans > 0) process.stderr.write(`${last.failedScans} scans failed and were made again\n`);
  return { scanSeconds, scanCpuSeconds, cycleCpuSeconds, quotaUsed, last, peakRssMiB: peakRssMiBOf(pid) };
}

function regionOf(text: string): Region {
  const region = parseRegion(text);
  if (region === undefined) throw new RangeError(`no region: ${text}`);
  return region;
}
