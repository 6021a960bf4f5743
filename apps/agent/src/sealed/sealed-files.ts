import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@tagplane/runtime';
import {
  ConfigError,
  FileModeError,
  SECOND,
  readIfThere,
  setAside,
  writeAtomically,
} from '@tagplane/runtime';
import * as z from 'zod';
import { messageOf } from '../errors.ts';
import { seal, unseal } from './seal.ts';
import { readStateKey, writeStateKey } from './state-key.ts';

/** What is kept sealed, each in a file of its own. */
export type StateKind = 'labels' | 'roles';

/** A file that was not used. */
export interface RefusedFile {
  readonly file: string;
  /** For a person. */
  readonly reason: string;
  /** Unix milliseconds. */
  readonly at: number;
}

type Counters = Record<StateKind, number>;

const countersField = z.strictObject({ labels: z.int().min(0), roles: z.int().min(0) });

/** A disk that takes longer holds up the stream; the auth service then sends its update again. */
const WRITE_TIMEOUT_MS = 10 * SECOND;
/** A mebibyte of roles, escaped, and what is beside them. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * An agent's files of labels and roles. Each is sealed with a key that lies beside them and numbered; the
 * highest numbers are in a file of their own. So a file that was edited, swapped, or put back as it once was
 * is not taken for the agent's. All of them put back together, and whoever holds the key, it does not stop.
 */
export class SealedFiles {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #key: Uint8Array;
  /** Why there was no key, or no counters, to hold files against; undefined: there were. */
  readonly #begun: string | undefined;
  readonly #refused: RefusedFile[] = [];
  #counters: Counters;
  /** Writes go one after the other, also after one that was given up waiting for. */
  #last = Promise.resolve();

  private constructor(directory: string, log: Logger, opened: Opened) {
    this.#directory = directory;
    this.#log = log;
    this.#key = opened.key;
    this.#counters = opened.counters;
    this.#begun = opened.begun;
  }

  /** @throws ConfigError naming `data_dir` when the key cannot be kept there, or others may read it */
  static async open(directory: string, log: Logger): Promise<SealedFiles> {
    try {
      return new SealedFiles(directory, log, await openKey(directory));
    } catch (error) {
      const reason = error instanceof FileModeError ? error.message : `its key: ${messageOf(error)}`;
      throw new ConfigError(`data_dir: ${reason}`, { cause: error });
    }
  }

  /** The files that were not used since the start, at most one of a kind. */
  refused(): readonly RefusedFile[] {
    return this.#refused;
  }

  path(kind: StateKind): string {
    return pathOf(this.#directory, kind);
  }

  /**
   * What the file has, as `decode` reads it; undefined for none, or none that can be used. Such a file is moved
   * aside, and that is said.
   *
   * @param decode throws an Error, whose message holds nothing secret, for what it cannot use
   */
  async read<Value>(kind: StateKind, decode: (content: unknown) => Value): Promise<Value | undefined> {
    try {
      const text = await readIfThere(this.path(kind), { maxBytes: MAX_BYTES });
      if (text === undefined) return undefined;
      const read = unseal(this.#key, kind, text);
      if (!read.ok) throw new Error(this.#begun ?? read.problem);
      const { counter, content } = read.sealed;
      if (counter < this.#counters[kind]) throw new Error('it was put back: a later one has been written');
      const value = decode(content);
      if (counter > this.#counters[kind]) await this.#catchUp(kind, counter);
      return value;
    } catch (error) {
      await this.#refuse(kind, messageOf(error));
      return undefined;
    }
  }

  /** Resolves when the content is safe. */
  write(kind: StateKind, content: unknown): Promise<void> {
    return this.#enqueue(async () => {
      const counter = this.#counters[kind] + 1;
      // Before the write: a number that may be on the disk is never given again.
      this.#counters = { ...this.#counters, [kind]: counter };
      await writeAtomically(this.path(kind), seal(this.#key, { kind, counter, content }));
      await writeCounters(this.#directory, this.#key, this.#counters);
    });
  }

  /** Forgets what was written. */
  clear(kind: StateKind): Promise<void> {
    return this.#enqueue(() => rm(this.path(kind), { force: true }));
  }

  /** The file was written, and then the counters were not. */
  async #catchUp(kind: StateKind, counter: number): Promise<void> {
    this.#counters = { ...this.#counters, [kind]: counter };
    try {
      await writeCounters(this.#directory, this.#key, this.#counters);
    } catch (error) {
      // The next write does it.
      this.#log.warn({ event: 'counters_not_written', reason: messageOf(error) });
    }
  }

  async #refuse(kind: StateKind, reason: string): Promise<void> {
    const path = this.path(kind);
    this.#refused.push({ file: `${kind}.json`, reason, at: Date.now() });
    const aside = await setAside(path).catch(() => undefined);
    this.#log.error({ event: 'state_refused', path, reason, moved_to: aside });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return withinTime(done);
  }
}

interface Opened {
  readonly key: Uint8Array;
  readonly counters: Counters;
  readonly begun: string | undefined;
}

async function openKey(directory: string): Promise<Opened> {
  const path = join(directory, 'state.key');
  const key = await readStateKey(path);
  const counters = key === undefined ? NO_KEY : await readCounters(directory, key);
  if (key !== undefined && typeof counters === 'object') return { key, counters, begun: undefined };
  // Another key, so that files numbered higher than the counters that begin anew are refused for ever.
  const made = await writeStateKey(path);
  const none = { labels: 0, roles: 0 };
  await writeCounters(directory, made, none);
  return { key: made, counters: none, begun: typeof counters === 'string' ? counters : undefined };
}

const NO_KEY = 'there is no state.key that it could have been sealed with';

/** A text says why there are none. */
async function readCounters(directory: string, key: Uint8Array): Promise<Counters | string> {
  const text = await readIfThere(pathOf(directory, 'counters'), { maxBytes: 4_096 });
  if (text === undefined) return 'counters.json is missing: it may be an old one';
  const read = unseal(key, 'counters', text);
  const counters = read.ok ? countersField.safeParse(read.sealed.content).data : undefined;
  return counters ?? 'counters.json is not as this agent wrote it: it may be an old one';
}

function writeCounters(directory: string, key: Uint8Array, counters: Counters): Promise<void> {
  const text = seal(key, { kind: 'counters', counter: 0, content: counters });
  return writeAtomically(pathOf(directory, 'counters'), text);
}

function pathOf(directory: string, kind: StateKind | 'counters'): string {
  return join(directory, `${kind}.json`);
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
