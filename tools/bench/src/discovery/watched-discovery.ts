import { readFileSync } from 'node:fs';
import { metricSum } from '@tagplane/harness';

/** A discovery process, by what it says of itself and what the system says of it. */
export interface WatchedDiscovery {
  readonly pid: number;
  readonly diagnosticsPort: number;
}

export interface Reading {
  readonly instances: number;
  readonly completeScans: number;
  /** Those that failed, whatever for. */
  readonly failedScans: number;
  readonly upserts: number;
  readonly requests: number;
  readonly throttles: number;
  /** Of EC2's rate, the share used in the last minute, in the account and region where it was greatest. */
  readonly quotaUsed: number;
}

const PREFIX = 'tagplane_discovery_';

export async function read({ diagnosticsPort }: WatchedDiscovery): Promise<Reading> {
  const text = await (await fetch(`http://127.0.0.1:${diagnosticsPort}/metrics`)).text();
  const sum = (name: string, containing = ''): number => metricSum(text, PREFIX + name, containing);
  const completeScans = sum('scans_total', 'result="complete"');
  return {
    instances: sum('instances'),
    completeScans,
    failedScans: sum('scans_total') - completeScans,
    upserts: sum('upserts_total'),
    requests: sum('ec2_place_requests'),
    throttles: sum('ec2_place_throttles'),
    quotaUsed: Math.max(0, ...valuesOf(text, `${PREFIX}ec2_quota_used_ratio`)),
  };
}

/** Its greatest resident memory so far, in MiB (Linux). */
export function peakRssMiBOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

function valuesOf(text: string, name: string): number[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}
