import { constants } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '@tagplane/credentials';
import { CredentialFileError, readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import { instanceKeyText } from '@tagplane/identity';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, SECOND, readIfThere, setAside, writeAtomically } from '@tagplane/runtime';
import type { HeldLabels } from '@tagplane/session';
import { decodeIdentity, decodeLabels, encodeIdentity, encodeLabels } from './disk-codec.ts';
import type { LabelOwner } from './disk-codec.ts';
import { messageOf } from './errors.ts';
import type { IdentityRecord } from './identity.ts';
import type { LabelStore } from './label-holder.ts';

/** What an agent keeps between its runs. */
export interface AgentState {
  readIdentity(): Promise<IdentityRecord | undefined>;
  writeIdentity(record: IdentityRecord): Promise<void>;
  /**
   * The credentials; undefined for none that can be used.
   *
   * @throws ConfigError naming `data_dir` when others may read them
   */
  readCredentials(): Promise<Credentials | undefined>;
  writeCredentials(credentials: Credentials): Promise<void>;
  /** Moves credentials that are not to be used out of the way. */
  discardCredentials(): Promise<void>;
  /** The labels, if they are this owner's. */
  readLabels(owner: LabelOwner): Promise<HeldLabels | undefined>;
  /** @param owner whose labels these are, asked at each write */
  labelStore(owner: () => LabelOwner): LabelStore;
}

/** A disk that takes longer holds up the stream; the auth service then sends the labels again. */
const WRITE_TIMEOUT_MS = 10 * SECOND;

/**
 * Keeps state in a directory, made when it is not there.
 *
 * @throws ConfigError naming `data_dir` when it cannot be written to
 */
export async function openDiskState(directory: string, log: Logger): Promise<AgentState> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = messageOf(error);
    throw new ConfigError(`data_dir: ${directory} cannot be written to: ${reason}`, { cause: error });
  }
  const identityPath = join(directory, 'identity.json');
  const labelsPath = join(directory, 'labels.json');
  const credentialsPath = join(directory, 'credentials.json');
  return {
    readIdentity: () => readOr(identityPath, decodeIdentity, log),
    async writeIdentity(record) {
      try {
        await writeAtomically(identityPath, encodeIdentity(record));
      } catch (error) {
        const reason = messageOf(error);
        throw new ConfigError(`data_dir: ${identityPath} cannot be written: ${reason}`, { cause: error });
      }
    },
    readCredentials: () => readCredentials(credentialsPath, log),
    writeCredentials: (credentials) => writeCredentialFile(credentialsPath, credentials),
    async discardCredentials() {
      await setAside(credentialsPath);
    },
    async readLabels(owner) {
      const stored = await readOr(labelsPath, decodeLabels, log);
      if (stored === undefined) return undefined;
      if (isOwner(stored.owner, owner)) return stored.held;
      log.warn({ event: 'labels_discarded', reason: 'they were kept for another server', path: labelsPath });
      await rm(labelsPath, { force: true });
      return undefined;
    },
    labelStore: (owner) => diskLabelStore(labelsPath, owner),
  };
}

/** Keeps nothing: for hosts of many agents, and for what has no disk of its own. */
export function memoryState(): AgentState {
  return {
    readIdentity: () => Promise.resolve(undefined),
    writeIdentity: () => Promise.resolve(),
    readCredentials: () => Promise.resolve(undefined),
    writeCredentials: () => Promise.resolve(),
    discardCredentials: () => Promise.resolve(),
    readLabels: () => Promise.resolve(undefined),
    labelStore: () => ({ write: () => Promise.resolve(), clear: () => Promise.resolve() }),
  };
}

function diskLabelStore(path: string, owner: () => LabelOwner): LabelStore {
  // Writes go one after the other, also after one that was given up waiting for.
  let last = Promise.resolve();
  const enqueue = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return withinTime(done);
  };
  return {
    write: (held) => {
      // Whose they are is known now; when their turn comes, the agent may be another.
      const text = encodeLabels({ owner: owner(), held });
      return enqueue(() => writeAtomically(path, text));
    },
    clear: () => enqueue(() => rm(path, { force: true })),
  };
}

async function readCredentials(path: string, log: Logger): Promise<Credentials | undefined> {
  try {
    return await readCredentialFile(path);
  } catch (error) {
    if (!(error instanceof CredentialFileError)) throw error;
    if (error.kind !== 'broken') throw new ConfigError(`data_dir: ${error.message}`, { cause: error });
    await putAside(path, error.message, log);
    return undefined;
  }
}

async function putAside(path: string, reason: string, log: Logger): Promise<void> {
  const aside = await setAside(path).catch(() => undefined);
  log.error({ event: 'state_file_set_aside', path, reason, moved_to: aside });
}

function isOwner(stored: LabelOwner, owner: LabelOwner): boolean {
  if (stored.serverId !== owner.serverId) return false;
  if (stored.instance === undefined || owner.instance === undefined) return true;
  return instanceKeyText(stored.instance) === instanceKeyText(owner.instance);
}

/** A file that cannot be used is set aside, so that it stops an agent from starting at most once. */
async function readOr<Value>(
  path: string,
  decode: (text: string) => Value,
  log: Logger,
): Promise<Value | undefined> {
  try {
    const text = await readIfThere(path);
    return text === undefined ? undefined : decode(text);
  } catch (error) {
    await putAside(path, messageOf(error), log);
    return undefined;
  }
}

function withinTime(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`not done within ${WRITE_TIMEOUT_MS / SECOND} s`));
    }, WRITE_TIMEOUT_MS);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
