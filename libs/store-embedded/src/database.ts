import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from './sqlite-error.ts';

/** Raised with every change of the tables that an older program could not work with. */
export const SCHEMA_VERSION = 1;

// 'tagp': marks the file as a Tagplane store, so that no other program's database is written to.
const APPLICATION_ID = 0x74616770;
/** Another process may be creating the same file: one fsync on a slow disk, with room to spare. */
const OPEN_TIMEOUT_MS = 2_000;
/** The loop stands still while SQLite waits for a lock, so it waits briefly; callers retry. */
const LOCK_TIMEOUT_MS = 10;

export const MEMORY = ':memory:';

/**
 * Opens the file, creating it with mode 0600 when it is not there, and prepares what is wanted of it. Throws
 * an Error that names the path when it cannot be opened or written, is no Tagplane store, or has a newer
 * schema.
 */
export function openDatabase<T>(
  path: string,
  prepare: (db: DatabaseSync) => T,
): { readonly db: DatabaseSync; readonly prepared: T } {
  let db: DatabaseSync | undefined;
  try {
    if (path !== MEMORY) makePrivate(path);
    db = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS });
    prepareDatabase(db);
    const prepared = prepare(db);
    db.exec(`PRAGMA busy_timeout = ${LOCK_TIMEOUT_MS}`);
    return { db, prepared };
  } catch (error) {
    db?.close();
    throw new Error(`cannot open the store at ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

// SQLite gives its -wal and -shm files the mode of the database.
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function prepareDatabase(db: DatabaseSync): void {
  checkOwner(db);
  db.exec(`
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA mmap_size = 268435456;
    PRAGMA journal_size_limit = 67108864;
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${SCHEMA_VERSION};
    CREATE TABLE IF NOT EXISTS kinds (kind TEXT PRIMARY KEY, last INTEGER NOT NULL, epoch TEXT NOT NULL);
    COMMIT;
  `);
}

function checkOwner(db: DatabaseSync): void {
  const version = pragma(db, 'user_version');
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    if (pragma(db, 'schema_version') === 0) return;
    throw new Error('it is a database of another program');
  }
  if (version > SCHEMA_VERSION) {
    throw new Error(`it has schema version ${version}, newer than ${SCHEMA_VERSION}; use a newer Tagplane`);
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
