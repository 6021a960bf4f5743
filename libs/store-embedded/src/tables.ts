import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

export interface ItemRow {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  readonly expires: number | null;
}

export interface GoneRow {
  readonly revision: number;
  readonly reason: 'deleted' | 'expired';
  readonly until: number;
}

export interface FeedRow {
  readonly revision: number;
  /** `start` is the feed's first entry, so that there is a position to hold before the first change. */
  readonly type: 'put' | 'deleted' | 'expired' | 'start';
  readonly key: string;
}

export interface StateRow {
  readonly last: number;
  readonly epoch: string;
}

/** A prepared statement whose columns are those of `Row`. */
interface Query<Row> {
  get(...parameters: (string | number | Uint8Array)[]): Row | undefined;
  all(...parameters: (string | number | Uint8Array)[]): readonly Row[];
}

/** The tables of one kind, as prepared statements. Times are Unix milliseconds. */
export type Tables = ReturnType<typeof openTables>;

/**
 * Creates the kind's tables when they are not there. `start` is the revision that a new kind begins with.
 *
 * Tombstones have a table of their own, so that a range never has to step over them. The feed's rowid
 * is the revision.
 */
export function openTables(db: DatabaseSync, kind: string, start: number) {
  const table = (name: string): string => `"${kind}:${name}"`;
  const [items, gone, feed] = [table('items'), table('gone'), table('feed')];
  db.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS ${items}
      (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, revision INTEGER NOT NULL, expires INTEGER);
    CREATE INDEX IF NOT EXISTS ${table('expires')} ON ${items} (expires) WHERE expires IS NOT NULL;
    CREATE TABLE IF NOT EXISTS ${gone}
      (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, reason TEXT NOT NULL, until INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS ${table('until')} ON ${gone} (until);
    CREATE TABLE IF NOT EXISTS ${feed} (revision INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL);
    INSERT INTO ${feed} (revision, type, key)
      SELECT ${start}, 'start', '' WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE kind = '${kind}');
    INSERT OR IGNORE INTO kinds (kind, last, epoch) VALUES ('${kind}', ${start}, '${randomUUID()}');
    COMMIT;
  `);
  const columns = 'key, value, revision, expires';
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    state: db.prepare(`SELECT last, epoch FROM kinds WHERE kind = '${kind}'`) as unknown as Query<StateRow>,
    setLast: db.prepare(`UPDATE kinds SET last = ? WHERE kind = '${kind}'`),
    item: db.prepare(`SELECT ${columns} FROM ${items} WHERE key = ?`) as unknown as Query<ItemRow>,
    page: db.prepare(
      `SELECT ${columns} FROM ${items} WHERE key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`,
    ) as unknown as Query<ItemRow>,
    count: db.prepare(
      `SELECT count(*) AS count FROM ${items} WHERE key >= ? AND key < ?`,
    ) as unknown as Query<{ count: number }>,
    due: db.prepare(
      `SELECT key FROM ${items} WHERE expires <= ? ORDER BY expires LIMIT ?`,
    ) as unknown as Query<{ key: string }>,
    putItem: db.prepare(
      `INSERT INTO ${items} (${columns}) VALUES (?, ?, ?, ?) ON CONFLICT (key)
       DO UPDATE SET value = excluded.value, revision = excluded.revision, expires = excluded.expires`,
    ),
    dropItem: db.prepare(`DELETE FROM ${items} WHERE key = ?`),
    gone: db.prepare(
      `SELECT revision, reason, until FROM ${gone} WHERE key = ?`,
    ) as unknown as Query<GoneRow>,
    putGone: db.prepare(`INSERT OR REPLACE INTO ${gone} (key, revision, reason, until) VALUES (?, ?, ?, ?)`),
    dropGone: db.prepare(`DELETE FROM ${gone} WHERE key = ?`),
    forgetGone: db.prepare(`DELETE FROM ${gone} WHERE until <= ?`),
    append: db.prepare(`INSERT INTO ${feed} (revision, type, key) VALUES (?, ?, ?)`),
    changes: db.prepare(
      `SELECT revision, type, key FROM ${feed} WHERE revision >= ? ORDER BY revision LIMIT ?`,
    ) as unknown as Query<FeedRow>,
    trim: db.prepare(
      `DELETE FROM ${feed} WHERE revision <= (SELECT revision FROM ${feed} ORDER BY revision DESC LIMIT 1 OFFSET ?)`,
    ),
  };
}
