import { readFile } from 'node:fs/promises';
import type { TLSSocket } from 'node:tls';
import { expect } from '@jest/globals';
import { metricSum } from '@tagplane/harness';
import { dialTls } from '../attacker/sockets.ts';
import type { Target } from './target.ts';

/**
 * What a service may take more after all attacks than when it was warm. Measured: 46 to 83 MiB resident,
 * most of it what the C library keeps of two thousand half-open handshakes, and 10 MiB of live heap, for
 * what audit and nodes keep of the attackers. One message of 100 MiB that is held would add 100, and
 * half-open connections that are never let go as much.
 */
const MAX_GROWTH: Memory = { residentMib: 128, heapMib: 24 };

/** Of one process, in MiB. */
export interface Memory {
  readonly residentMib: number;
  /** JavaScript's, right after it was collected: the least of many looks. */
  readonly heapMib: number;
}

const HONEST = 1_000;
const AT_ONCE = 50;

/** Honest work, as a service sees it when a fleet comes back: a thousand connections at once, and many calls. */
export async function warmUp(target: Target): Promise<Memory> {
  const certificate = await target.operatorCertificate();
  const sockets: TLSSocket[] = [];
  while (sockets.length < HONEST) {
    const dial = target.dial({ certificate });
    const some = Array.from({ length: AT_ONCE }, () => dialTls(dial));
    sockets.push(...(await Promise.all(some)));
  }
  const memory = await measure(target);
  for (const socket of sockets) socket.destroy();
  return memory;
}

export async function checkMemory(target: Target, warm: Memory): Promise<void> {
  const { residentMib, heapMib } = await measure(target);
  expect(residentMib - warm.residentMib).toBeLessThan(MAX_GROWTH.residentMib);
  expect(heapMib - warm.heapMib).toBeLessThan(MAX_GROWTH.heapMib);
}

/** Calls until the heap was surely collected, some megabytes at a time. */
async function measure(target: Target): Promise<Memory> {
  const { status } = target.operator;
  let heapMib = Infinity;
  for (let round = 0; round < 60; round += 1) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => status.getStatus({})));
    const used = metricSum(await target.auth.metrics(), 'nodejs_heap_size_used_bytes');
    heapMib = Math.min(heapMib, used / 1024 ** 2);
  }
  return { residentMib: await residentMib(target.auth.process.pid), heapMib };
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kibibytes === undefined) throw new Error('the process has no resident memory');
  return Number(kibibytes) / 1024;
}
