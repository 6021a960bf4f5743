import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ManagedProcess } from './process.ts';
import { startProcess } from './process.ts';
import { waitFor } from './wait.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export type ProgramName = 'auth' | 'discovery' | 'agent';

/** Settings of a service, by the names of their environment variables without the prefix. */
export type Settings = Readonly<Record<string, string>>;

/** The words that start a program from source, after Node's own. */
export function sourceArgs(program: ProgramName | 'tagctl', args: readonly string[]): string[] {
  return ['--conditions=@tagplane/source', join(ROOT, 'apps', program, 'src/main.ts'), ...args];
}

/** The environment variables of these settings. */
export function variables(settings: Settings): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`TAGPLANE_${key}`, value]));
}

/** Starts one of the services from source, configured by environment alone. */
export function startService(
  program: ProgramName,
  name: string,
  settings: Settings,
  env: Readonly<Record<string, string>> = {},
): Promise<ManagedProcess> {
  return startProcess({
    name,
    command: process.execPath,
    args: sourceArgs(program, ['start']),
    env: { ...variables(settings), ...env },
  });
}

/** Waits until `/readyz` answers 200; fails at once, with its last words, when the process ends. */
export async function waitUntilReady(
  running: ManagedProcess,
  diagnosticsPort: number,
  timeoutMs = 120_000,
): Promise<void> {
  try {
    await waitFor(
      `${running.name} is ready`,
      async () => {
        if (!running.running()) return true;
        const response = await fetch(`http://127.0.0.1:${diagnosticsPort}/readyz`);
        if (!response.ok) throw new Error(await response.text());
        return true;
      },
      { timeoutMs },
    );
  } catch (error) {
    throw new Error(`${String(error)}; its last words:\n${lastWords(running)}`, { cause: error });
  }
  if (!running.running()) throw new Error(`${running.name} ended:\n${lastWords(running)}`);
}

function lastWords(running: ManagedProcess): string {
  return running.output.slice(-10).join('\n');
}
