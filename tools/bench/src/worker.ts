import { fork } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What a piece of work in a process of its own cost. */
export interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
  readonly longestStallMs: number;
}

/**
 * Measures work in this process. The stall is the longest time that a timer of 10 ms was late.
 */
export async function measured<Result>(work: () => Promise<Result>): Promise<{ cost: Cost; result: Result }> {
  const stalls = monitorEventLoopDelay({ resolution: 10 });
  stalls.enable();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wallSeconds = (performance.now() - start) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  stalls.disable();
  return {
    result,
    cost: {
      wallSeconds,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      peakRssMiB: process.resourceUsage().maxRSS / 1_024,
      longestStallMs: stalls.max / 1e6,
    },
  };
}

/**
 * Runs a worker's module in a process of its own; resolves to the one message that it sends.
 *
 * @param module a name among the workers here, or where the module is
 * @param flags of node, beside those that every worker has
 */
export async function runWorker<Answer>(
  module: string | URL,
  argument: unknown,
  flags: readonly string[] = [],
): Promise<Answer> {
  const child = fork(
    fileURLToPath(typeof module === 'string' ? new URL(`./workers/${module}.ts`, import.meta.url) : module),
    [JSON.stringify(argument)],
    {
      execArgv: ['--conditions=@tagplane/source', ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  return await new Promise<Answer>((resolve, reject) => {
    let answer: { value: Answer } | undefined;
    child.once('message', (message) => {
      answer = { value: message as Answer };
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (answer !== undefined) resolve(answer.value);
      else reject(new Error(`the worker ${String(module)} ended with code ${String(code)} and no answer`));
    });
  });
}

/** In a worker: its argument. */
export function workerArgument(): unknown {
  return JSON.parse(process.argv[2] ?? 'null');
}

/** In a worker: answers and lets the process end. */
export function answer(value: unknown): void {
  process.send?.(value, () => {
    process.disconnect();
  });
}

/** CPU seconds (user and system) that another process has used so far (Linux). */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in parentheses and may hold spaces; utime and stime are 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of another process in MiB (Linux). */
export function rssMiBOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

/** Waits until another process has used less than 20 ms of CPU in half a second; for 30 s at most. */
export async function settled(pid: number): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const before = cpuSecondsOf(pid);
    await delay(500);
    if (cpuSecondsOf(pid) - before < 0.02) return;
  }
}
