import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '@tagplane/credentials';
import { CredentialFileError, readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, readIfThere, setAside, writeAtomically } from '@tagplane/runtime';
import type { HeldLabels, HeldRoles } from '@tagplane/session';
import { decodeIdentity, encodeIdentity } from './disk-codec.ts';
import type { LabelOwner } from './disk-codec.ts';
import { messageOf } from './errors.ts';
import type { IdentityRecord } from './identity.ts';
import type { LabelStore } from './label-holder.ts';
import type { RoleStore } from './roles/role-holder.ts';
import { readLabels, readRoles, labelStore, roleStore } from './sealed/sealed-state.ts';
import type { Reader } from './sealed/sealed-state.ts';
import { SealedFiles } from './sealed/sealed-files.ts';
import type { RefusedFile } from './sealed/sealed-files.ts';

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
  /** The labels, if they are this reader's to use. */
  readLabels(reader: Reader): Promise<HeldLabels | undefined>;
  /** @param owner whose labels these are, asked at each write */
  labelStore(owner: () => LabelOwner): LabelStore;
  /** The roles, if they are this reader's to use. */
  readRoles(reader: Reader): Promise<HeldRoles | undefined>;
  roleStore(owner: () => LabelOwner): RoleStore;
  /** The files of labels and roles that were not used. */
  refused(): readonly RefusedFile[];
}

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
  const credentialsPath = join(directory, 'credentials.json');
  const sealed = await SealedFiles.open(directory, log);
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
    readLabels: (reader) => readLabels(sealed, reader),
    labelStore: (owner) => labelStore(sealed, owner),
    readRoles: (reader) => readRoles(sealed, reader),
    roleStore: (owner) => roleStore(sealed, owner),
    refused: () => sealed.refused(),
  };
}

const NOTHING = { write: () => Promise.resolve(), clear: () => Promise.resolve() };
const NONE_REFUSED: readonly RefusedFile[] = [];

/** Keeps nothing: for hosts of many agents, and for what has no disk of its own. */
export function memoryState(): AgentState {
  return MEMORY;
}

const MEMORY: AgentState = {
  readIdentity: () => Promise.resolve(undefined),
  writeIdentity: () => Promise.resolve(),
  readCredentials: () => Promise.resolve(undefined),
  writeCredentials: () => Promise.resolve(),
  discardCredentials: () => Promise.resolve(),
  readLabels: () => Promise.resolve(undefined),
  labelStore: () => NOTHING,
  readRoles: () => Promise.resolve(undefined),
  roleStore: () => NOTHING,
  refused: () => NONE_REFUSED,
};

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
