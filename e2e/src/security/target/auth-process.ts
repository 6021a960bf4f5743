import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess, waitUntilReady } from '@tagplane/harness';
import type { ManagedProcess } from '@tagplane/harness';
import type { Address } from '@tagplane/runtime';

export const CLUSTER = 'fortress';
const MAIN = fileURLToPath(new URL('../../../../apps/auth/src/main.ts', import.meta.url));

/** A running `tagplane-auth` with mutual TLS and a store of its own. */
export interface AuthProcess extends AsyncDisposable {
  readonly address: Address;
  readonly process: ManagedProcess;
  readonly files: {
    readonly store: string;
    /** Base64 of the key that seals the authority. */
    readonly sealingKey: string;
    /** Audit events, one JSON document a line. */
    readonly audit: string;
  };
  /** Everything it has written to standard output and error. */
  output(): Promise<string>;
  /** As Prometheus reads them. */
  metrics(): Promise<string>;
}

/**
 * @param folder an empty one, for its files
 * @param options.config over what makes it a service on loopback, as in a configuration file
 */
export async function startAuthProcess(
  folder: string,
  options: {
    readonly config?: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<AuthProcess> {
  const file = (name: string): string => join(folder, name);
  const files = { store: file('store.db'), sealingKey: file('sealing.key'), audit: file('audit.jsonl') };
  const [configFile, log] = [file('auth.json'), file('auth.log')];
  await writeFile(files.sealingKey, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const [port, diagnostics] = [await freePort(), await freePort()];
  const config = {
    name: 'fortress-1',
    cluster: CLUSTER,
    listen: `127.0.0.1:${port}`,
    diagnostics: `127.0.0.1:${diagnostics}`,
    store: { type: 'embedded', path: files.store },
    ca: { key_file: files.sealingKey },
    audit: { path: files.audit },
    // Everything that it might say is looked through for secrets.
    log_level: 'debug',
    ...options.config,
  };
  await writeFile(configFile, JSON.stringify(config));
  const running = await startProcess({
    name: 'auth',
    // Into a file: the harness keeps only the last lines of what it reads itself.
    command: '/bin/sh',
    args: [
      ...['-c', 'exec "$@" >>"$OUTPUT" 2>&1', 'sh'],
      ...[process.execPath, '--conditions=@tagplane/source', MAIN, 'start', '--config', configFile],
    ],
    env: { OUTPUT: log, ...options.env },
  });
  const output = (): Promise<string> => readFile(log, 'utf8');
  try {
    await waitUntilReady(running, diagnostics);
  } catch (error) {
    throw new Error(`${String(error)}\n${(await output()).slice(-4_000)}`, { cause: error });
  }
  return {
    address: { host: '127.0.0.1', port },
    process: running,
    files,
    output,
    metrics: async () => await (await fetch(`http://127.0.0.1:${diagnostics}/metrics`)).text(),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
