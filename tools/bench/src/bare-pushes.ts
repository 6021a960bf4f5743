import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BareReport } from './bare-server.ts';

/** A process that `serveBarePushes`. */
export interface BarePushes extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Resolves when all have acknowledged. */
  push(generation: number): Promise<void>;
}

/** @param argument for the worker */
export async function startBarePushes(
  module: 'bare-connect' | 'bare-http2',
  argument: string | null = null,
): Promise<BarePushes> {
  const child = fork(
    fileURLToPath(new URL(`./workers/${module}.ts`, import.meta.url)),
    [JSON.stringify(argument)],
    { execArgv: ['--conditions=@tagplane/source'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const next = (): Promise<BareReport> =>
    new Promise((resolve) =>
      child.once('message', (message) => {
        resolve(message as BareReport);
      }),
    );
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
  const listening = await next();
  if (listening.type !== 'listening') {
    await end();
    throw new Error(`${module} did not listen`);
  }
  return {
    pid: child.pid ?? Number.NaN,
    port: listening.port,
    async push(generation) {
      const done = next();
      child.send(generation);
      await done;
    },
    [Symbol.asyncDispose]: end,
  };
}
