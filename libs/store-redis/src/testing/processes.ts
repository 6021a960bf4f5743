import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a program and waits until its output matches. Rejects with what it printed when it ends before
 * that, and with an error that names it when it is not installed.
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  isReady: RegExp,
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // It must not outlive a test process that ends before its cleanup.
  const orphan = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', orphan);
  child.once('exit', () => process.off('exit', orphan));
  let output = '';
  const ready = Promise.withResolvers<undefined>();
  child.once('error', (error) => {
    ready.reject(new Error(`${command} cannot be started; is it installed?`, { cause: error }));
  });
  child.once('exit', () => {
    ready.reject(new Error(`${command} ended: ${output.slice(-1_000)}`));
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, so that the pipe never fills; kept only while it is of interest.
      if (output.length < 100_000) output += text;
      if (isReady.test(output)) ready.resolve(undefined);
    });
  }
  await ready.promise;
  return child;
}

/** Sends the signal and waits until the program has ended. */
export async function endProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
