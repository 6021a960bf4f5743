import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What a process said, and how it ended. */
export interface ProgramRun {
  /** Null: it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As long as anything here may take; a run that hangs is killed. */
const TIMEOUT_MS = 120_000;

/** Runs a program of Node's to its end. @throws Error when it cannot be started */
export async function runNode(
  args: readonly string[],
  options: {
    /** Over this process's own environment. */
    readonly env: Readonly<Record<string, string>>;
    /** Default: nothing. */
    readonly stdin?: string | undefined;
  },
): Promise<ProgramRun> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...options.env },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // It may have ended before it has read everything.
  child.stdin.on('error', () => undefined).end(options.stdin ?? '');
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
