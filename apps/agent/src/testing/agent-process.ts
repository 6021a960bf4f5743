import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** What a finished run of the program left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program as a process, from source. */
export interface AgentProcess extends AsyncDisposable {
  kill(signal: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
  /** What it logged so far. */
  log(): string;
}

export function startAgentProcess(args: readonly string[], env: Record<string, string> = {}): AgentProcess {
  const child = spawn(process.execPath, ['--conditions=@tagplane/source', MAIN, ...args], {
    env: { AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = once(child, 'close').then(([code]): Finished => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  return {
    kill: (signal) => {
      child.kill(signal);
    },
    finished,
    log: () => stderr,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await finished;
    },
  };
}

export async function runAgentProgram(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  await using program = startAgentProcess(args, env);
  return await program.finished;
}
