import { access } from 'node:fs/promises';
import { createKey, credentialsFromIssued, writeCredentialFile } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import { isCertifiedName, peerText } from '@tagplane/identity';
import { ConfigError, errorMessage } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import type { CaCopy } from './ca-copy.ts';
import type { CaRecord } from './ca-record.ts';
import { ensureCa, findCa, openFound, writeCa } from './ca-store.ts';
import { issueFrom } from './issue-from.ts';
import { keptOperator } from './kept-operator.ts';
import type { OpenedCa } from './opened-ca.ts';
import type { CaConfig } from './sealing-key.ts';
import { keyFileExists, makeKeyFile, readSealingKey } from './sealing-key.ts';

export interface BootstrapOptions {
  readonly store: Store;
  readonly audit: Audit;
  readonly cluster: string;
  readonly ca: CaConfig;
  /** Of the authority, outside the store. */
  readonly copy: CaCopy;
  /** Of the operator. */
  readonly name: string;
  /** How long the operator's certificate is good for. */
  readonly ttlMs: number;
  /** The file for the credentials; overwritten only `if-needed`, and by the same operator's. */
  readonly out: string;
  /** `once`: not when it was done before; `if-needed`: unless `out` holds credentials that will do. */
  readonly when: 'once' | 'again' | 'if-needed';
  /** Unix milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
}

export interface Bootstrapped {
  readonly credentials: Credentials;
  /** They were in the file already. */
  readonly kept: boolean;
  /** Of the authorities that are trusted, first the one that signs. */
  readonly pins: readonly [string, ...string[]];
  /** The key file that was made. */
  readonly keyFile: string | undefined;
}

/** Other processes write the record seldom; who loses this often is not alone for another reason. */
const MAX_ATTEMPTS = 5;

/**
 * Makes the first operator's credentials, and the authority and its sealing key where there are none yet. It
 * needs nothing but the store: whoever can do this has the sealing key and could sign whatever they like.
 *
 * @throws ConfigError; Error when it was done before
 */
export async function bootstrapOperator(options: BootstrapOptions): Promise<Bootstrapped> {
  const { store, audit, cluster, out, name, when, now, signal } = options;
  if (!isCertifiedName(name)) {
    throw new ConfigError('--name: expected 1 to 128 of letters, digits, ".", "_", "-"');
  }
  if (when !== 'if-needed' && (await exists(out))) throw new ConfigError(`--out: ${out} is there already`);
  const known = await findCa(store, signal);
  if (known !== undefined) refuseSecond(options, known.record);
  const keyFile = await ensureKeyFile(options.ca, known !== undefined);
  const sealingKey = await readSealingKey(options.ca);
  const { copy } = options;
  const { ca, source } = await ensureCa({ store, cluster, sealingKey, copy, now, signal });
  if (source === 'created') {
    audit.record({ code: 'ca.created', result: 'ok', details: { cluster, pin: ca.pins[0] } });
  }
  const kept = when === 'if-needed' ? await keptOperator(out, { name, ca, now }) : undefined;
  if (kept !== undefined) return { credentials: kept, kept: true, pins: ca.pins, keyFile };
  const marked = await mark(options, sealingKey);
  await copy.write(marked.record);
  const credentials = await operatorCredentials(marked, options);
  audit.record({
    code: 'ca.bootstrap',
    result: 'ok',
    subjects: [credentials.id],
    details: {
      when,
      valid_until: new Date(credentials.validUntil).toISOString(),
    },
  });
  await write(out, credentials);
  return { credentials, kept: false, pins: marked.pins, keyFile };
}

function refuseSecond({ audit, when }: BootstrapOptions, { bootstrap }: CaRecord): void {
  if (bootstrap === undefined || when !== 'once') return;
  const at = new Date(bootstrap.at).toISOString();
  const reason = `it was done before, at ${at}, for ${bootstrap.by}`;
  audit.record({ code: 'ca.bootstrap', result: 'refused', reason });
  throw new Error(`${reason}; --again makes another operator's credentials`);
}

/** Made only where nothing was sealed with the one that is missing. */
async function ensureKeyFile(ca: CaConfig, sealed: boolean): Promise<string | undefined> {
  const { key, key_file: file } = ca;
  if (key !== undefined || file === undefined || (await keyFileExists(file))) return undefined;
  if (sealed) {
    throw new ConfigError(
      `ca.key_file: there is no ${file}, and the authority in the store is sealed with the key that was in it`,
    );
  }
  await makeKeyFile(file);
  return file;
}

/** Notes in the record that it is done. Of two that try at once, one is refused. */
async function mark(options: BootstrapOptions, sealingKey: Uint8Array): Promise<OpenedCa> {
  const { store, cluster, now, name, signal } = options;
  const bootstrap = { at: now, by: peerText({ role: 'operator', name }) };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await findCa(store, signal);
    if (found === undefined) break;
    refuseSecond(options, found.record);
    const record = { ...found.record, bootstrap };
    const written = await writeCa(store, record, { revision: found.revision }, signal);
    if (written !== undefined) return openFound(record, { cluster, sealingKey });
  }
  throw new Error("the authority's record in the store changes all the time; try again");
}

async function operatorCredentials(
  ca: OpenedCa,
  { cluster, name, now, ttlMs }: BootstrapOptions,
): Promise<Credentials> {
  const { privateKey, publicKey } = createKey();
  const subject = { role: 'operator', name, instance: undefined, publicKey } as const;
  const { issued } = await issueFrom(ca, subject, { now, ttlMs });
  return credentialsFromIssued({ issued, privateKey, cluster, now });
}

async function write(out: string, credentials: Credentials): Promise<void> {
  try {
    await writeCredentialFile(out, credentials);
  } catch (error) {
    const problem = `--out: ${out} cannot be written: ${errorMessage(error)}`;
    throw new ConfigError(`${problem}; try again with another file and --again`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
