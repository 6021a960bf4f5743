import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { SECOND } from '@tagplane/runtime';
import { isErrno, messageOf } from '../errors.ts';

/** What became of a run. The problem is for a person, and has nothing of what the program printed. */
export type CommandOutcome =
  { readonly kind: 'printed'; readonly text: string } | { readonly kind: 'failed'; readonly problem: string };

export interface CommandLimits {
  readonly timeoutMs: number;
  /** A program that prints more is ended. */
  readonly maxBytes: number;
}

/** What a program gets instead of the agent's environment, which may hold secrets. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};
/** For what is in the pipe when the program has ended, if a process of another group still holds its end. */
const DRAIN_MS = SECOND;

/**
 * Runs a program without a shell, and ends it with all processes of its group: in time, and when the signal
 * aborts. Its standard error is not read.
 *
 * @throws the signal's reason, when nothing of the group runs any more
 */
export async function runCommand(
  [program, ...words]: readonly [string, ...string[]],
  { timeoutMs, maxBytes }: CommandLimits,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  signal.throwIfAborted();
  // Detached: in a process group of its own, which can be ended whole.
  const child = spawn(program, words, {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const run = new Run(child, maxBytes);
  const onAbort = (): void => {
    run.end('stopped');
  };
  const timer = setTimeout(() => {
    run.end(`it took longer than ${timeoutMs} ms`);
  }, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const outcome = await run.outcome;
    signal.throwIfAborted();
    return outcome;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** One process, until all of it is gone. */
class Run {
  readonly outcome: Promise<CommandOutcome>;
  readonly #child: ChildProcess;
  readonly #parts: Buffer[] = [];
  #problem: string | undefined;

  constructor(child: ChildProcess, maxBytes: number) {
    this.#child = child;
    let size = 0;
    child.stdout?.on('data', (part: Buffer) => {
      size += part.length;
      if (size > maxBytes) this.end(`it printed more than ${maxBytes} bytes`);
      else this.#parts.push(part);
    });
    this.outcome = new Promise((resolve) => {
      child.once('error', (error) => {
        resolve({ kind: 'failed', problem: startProblem(error) });
      });
      child.once('exit', (code, by) => {
        // What it left running is not its label.
        this.#killGroup();
        const drain = setTimeout(() => child.stdout?.destroy(), DRAIN_MS);
        child.once('close', () => {
          clearTimeout(drain);
          resolve(this.#ended(code, by));
        });
      });
    });
  }

  /** Ends it for this reason; the first one stands. */
  end(problem: string): void {
    this.#problem ??= problem;
    this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if (!isErrno(error, 'ESRCH') && !isErrno(error, 'EPERM')) throw error;
    }
  }

  #ended(code: number | null, by: NodeJS.Signals | null): CommandOutcome {
    if (this.#problem !== undefined) return { kind: 'failed', problem: this.#problem };
    if (code !== 0)
      return { kind: 'failed', problem: by === null ? `exit code ${code ?? 0}` : `ended by ${by}` };
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.#parts));
      return { kind: 'printed', text };
    } catch {
      return { kind: 'failed', problem: 'what it printed is not UTF-8' };
    }
  }
}

function startProblem(error: Error): string {
  if (isErrno(error, 'ENOENT')) return 'there is no such program';
  if (isErrno(error, 'EACCES')) return 'the program may not be run';
  return `it could not be started: ${messageOf(error)}`;
}
