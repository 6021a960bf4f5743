import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Address } from '@tagplane/runtime';
import { parseAddress } from '@tagplane/runtime';

const MAIN = join(import.meta.dirname, '../main.ts');

/** A real `tagplane-auth`. Its ports are the system's choice. */
export interface AuthProcess extends AsyncDisposable {
  readonly address: Address;
  readonly diagnostics: Address;
  /** The checks of `/readyz`: name and reason of those that fail, empty when it is ready. */
  problems(): Promise<Readonly<Record<string, string>>>;
  /** Sends the signal; resolves to the exit code, or the signal that ended it. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Runs the program to its end. */
export async function runAuth(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnAuth(args, env);
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Without TLS: whoever calls says who it is. */
export const INSECURE = { TAGPLANE_TLS_MODE: 'insecure' };

/** Starts the program and waits until it listens; without TLS the store may still be away. */
export async function startAuth(env: Readonly<Record<string, string>>): Promise<AuthProcess> {
  const child = spawnAuth(['start'], {
    TAGPLANE_LISTEN: '127.0.0.1:0',
    TAGPLANE_DIAGNOSTICS: '127.0.0.1:0',
    ...env,
  });
  const stderr = gather(child.stderr);
  const started = await new Promise<Record<string, string>>((resolve, reject) => {
    child.stderr?.on('data', () => {
      const line = stderr()
        .split('\n')
        .find((text) => text.includes('"auth_started"') && text.endsWith('}'));
      if (line !== undefined) resolve(JSON.parse(line) as Record<string, string>);
    });
    child.once('exit', () => {
      reject(new Error(`tagplane-auth ended: ${stderr()}`));
    });
  });
  const diagnostics = addressOf(started['diagnostics']);
  const stop = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode ?? child.signalCode;
  };
  return {
    address: addressOf(started['address']),
    diagnostics,
    async problems() {
      const response = await fetch(`http://${diagnostics.host}:${diagnostics.port}/readyz`);
      const { ready, checks } = (await response.json()) as {
        ready: boolean;
        checks: { name: string; ready: boolean; reason?: string }[];
      };
      if (ready !== (response.status === 200))
        throw new Error(`ready ${ready} with status ${response.status}`);
      return Object.fromEntries(
        checks.filter((one) => !one.ready).map(({ name, reason }) => [name, reason ?? '']),
      );
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
    },
  };
}

function spawnAuth(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const all = { PATH: process.env['PATH'], ...env };
  return spawn(process.execPath, ['--conditions=@tagplane/source', MAIN, ...args], { env: all });
}

function gather(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

function addressOf(text: string | undefined): Address {
  const address = parseAddress(text ?? '');
  if (address === undefined) throw new Error(`no address: ${text ?? ''}`);
  return address;
}
