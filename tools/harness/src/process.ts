import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Lines kept of each process's output: enough to see why it ended. */
const KEPT_LINES = 500;

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Over this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that this one started and that ends with it. */
export interface ManagedProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** The latest lines of its standard output and error. */
  readonly output: readonly string[];
  /** Resolves when it has ended: the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  /** Whether it still runs. */
  running(): boolean;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL if it has not ended within the grace. */
  stop(graceMs?: number): Promise<number | null>;
}

/** @throws Error when the command cannot be started */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const child = spawn(options.command, options.args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      if (output.length > KEPT_LINES) output.shift();
    });
  }
  let running = true;
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running = false;
      resolve(code);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      running = false;
      reject(new Error(`${options.name}: ${error.message}`, { cause: error }));
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (running) child.kill(signal);
    await exited;
  };
  const stop = async (graceMs = 12_000): Promise<number | null> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await end('SIGTERM');
    clearTimeout(timer);
    return await exited;
  };
  return {
    name: options.name,
    pid: child.pid ?? Number.NaN,
    output,
    exited,
    running: () => running,
    kill: () => end('SIGKILL'),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
