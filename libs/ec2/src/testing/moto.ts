import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { motoCommand } from './moto-install.ts';

/** moto imports all of boto3 at its start: seconds on an idle machine, more on a busy one. */
const START_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
/** Enough of what it printed to see why it did not start. */
const KEPT_OUTPUT_CHARACTERS = 4_000;

export interface Moto {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string;
  /** Forgets all instances and tags. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs moto's server on a free loopback port: `moto_server` from PATH, or else one that is installed
 * by pip, once, into a virtual environment under `.cache/moto`.
 */
export async function startMoto(): Promise<Moto> {
  const command = await motoCommand();
  const child = spawn(command, ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUNBUFFERED: '1' },
  });
  try {
    const url = await announcedUrl(child);
    return {
      url,
      reset: async () => {
        const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
        const response = await fetch(new URL('/moto-api/reset', url), { method: 'POST', signal });
        if (!response.ok) throw new Error(`moto did not reset: HTTP ${response.status}`);
      },
      stop: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** It prints its address when it listens. It also prints each request, so its pipes are always read. */
async function announcedUrl(child: ChildProcess): Promise<string> {
  let output = '';
  return await new Promise<string>((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(new Error(`moto_server ${reason}: ${output.trim()}`, { cause }));
    };
    const timer = setTimeout(() => {
      fail('did not listen in time');
    }, START_TIMEOUT_MS);
    child.once('error', (error) => {
      fail('cannot be run', error);
    });
    child.once('exit', (code) => {
      fail(`ended with ${code ?? 'a signal'}`);
    });
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
      const [, url] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output) ?? [];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const cancel = new AbortController();
  const late = sleep(STOP_TIMEOUT_MS, undefined, { signal: cancel.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await exit;
  cancel.abort();
  await late;
}
