import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import type { Credentials } from '@tagplane/credentials';
import { CredentialFileError, readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import { formatDuration } from '@tagplane/runtime';
import { LOG_IN, usageError } from '../errors.ts';
import { credentialsAge } from './age.ts';

/**
 * The credentials in a file, for as long as a command runs. Another tagctl may use the same file at the
 * same time: each replaces it as a whole, and only if it still holds what that one last saw.
 */
export class CredentialStore {
  readonly file: string;
  #current: Credentials;
  /** What the file held when it was last read or written here. */
  #kept: Credentials;
  /** One write at a time: a command and what follows the authorities beside it may both have news. */
  #last: Promise<void> = Promise.resolve();

  private constructor(file: string, credentials: Credentials) {
    this.file = file;
    this.#current = credentials;
    this.#kept = credentials;
  }

  /** @throws TagctlError (usage) when there are none, or they have ended, with what to do about it */
  static async open(file: string, now: number): Promise<CredentialStore> {
    const credentials = await readCredentials(file);
    if (credentials === undefined) throw usageError(`no credentials in ${file}: ${LOG_IN}`);
    refuseEnded(credentials, file, now);
    return new CredentialStore(file, credentials);
  }

  current(): Credentials {
    return this.#current;
  }

  /**
   * Uses these from now on, and keeps them unless the file has been changed meanwhile: then who changed
   * it, by a renewal of their own, a login or a logout, knows better.
   *
   * @throws Error when the file cannot be written; they are used all the same
   */
  replace(next: Credentials): Promise<void> {
    this.#current = next;
    const done = this.#last.then(() => this.#keep(next));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #keep(next: Credentials): Promise<void> {
    const found = await readCredentialFile(this.file);
    if (found?.certificates[0] !== this.#kept.certificates[0]) return;
    if (found?.trust !== undefined && found.trust.generation > next.trust.generation) return;
    await writeCredentials(this.file, next);
    this.#kept = next;
  }
}

/** Undefined: there is no such file. @throws TagctlError (usage) when it cannot be used */
export async function readCredentials(file: string): Promise<Credentials | undefined> {
  try {
    return await readCredentialFile(file);
  } catch (error) {
    if (error instanceof CredentialFileError) throw usageError(error.message, error);
    throw error;
  }
}

/** @throws TagctlError (usage) when these credentials have ended, with what to do about it */
export function refuseEnded(credentials: Credentials, file: string, now: number): void {
  if (credentialsAge(credentials, now) !== 'ended') return;
  const { role, name, validUntil } = credentials;
  const ended = formatDuration(Math.max(0, now - validUntil));
  throw usageError(
    `the certificate of ${role} ${name} in ${file} expired ${ended} ago by this machine's clock: ask an operator for a token ('tagctl tokens add --role ${role} --name ${name}') or, on the auth host, run 'tagplane-auth bootstrap --again'; then ${LOG_IN}`,
  );
}

/** Under a name of its own until it is whole, so that two processes do not write into one file. */
export async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
  const own = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeCredentialFile(own, credentials);
    await rename(own, file);
  } catch (error) {
    await rm(own, { force: true });
    throw error;
  }
}
