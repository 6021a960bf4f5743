import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { dialTls } from '../attacker/sockets.ts';
import type { Target } from './target.ts';

/**
 * What a service that was warm before may take more afterwards. Measured over ten runs: see the report of
 * each run in its output. The heap of a busy process breathes by some 50 MiB; 1,000 half-open connections
 * that are never let go would take 50 KiB each, and one message of 100 MiB that is held is over by itself.
 */
export const MAX_GROWTH_MIB = 96;

/** Resident memory of a process, in MiB. */
export async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kibibytes === undefined) throw new Error('the process has no resident memory');
  return Number(kibibytes) / 1024;
}

/** Honest connections and calls, as many as a service sees in its first minutes; then what it takes, in MiB. */
export async function warmUp(target: Target): Promise<number> {
  const certificate = await target.operatorCertificate();
  for (let round = 0; round < 20; round += 1) {
    const dial = target.dial({ certificate });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dialTls(dial)));
    await Promise.all(Array.from({ length: 5 }, () => target.status({ certificate })));
    for (const socket of sockets) socket.destroy();
  }
  return await residentMib(target.auth.process.pid);
}

/** The heap gives back what it does not need when it comes to it: within a minute it must have. */
export async function checkMemory(target: Target, warmMib: number): Promise<void> {
  const end = performance.now() + 60_000;
  let grown = Infinity;
  while (grown > MAX_GROWTH_MIB && performance.now() < end) {
    grown = (await residentMib(target.auth.process.pid)) - warmMib;
    if (grown > MAX_GROWTH_MIB) await delay(1_000);
  }
  expect(grown).toBeLessThan(MAX_GROWTH_MIB);
}
