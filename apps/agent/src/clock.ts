import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClockReading } from '@tagplane/session';

export type Clock = () => ClockReading;

const NANOSECONDS_PER_MS = 1e6;

/** This machine's clocks. */
export function systemClock(boot: string = bootId()): Clock {
  return () => ({ wallMs: Date.now(), monotonicMs: monotonicMs(), boot });
}

/** CLOCK_MONOTONIC: on Linux the same count for every process since boot. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / NANOSECONDS_PER_MS;
}

/** Names this boot of the machine. Where the system does not say, each process counts as a boot. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
}
