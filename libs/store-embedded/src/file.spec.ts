import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '@tagplane/store';
import { CALL, item, putOne, readAll, readFeed } from '@tagplane/store/testing';
import { openEmbeddedStore } from './embedded-store.ts';

jest.setTimeout(60_000);

let dir: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tagplane-store-'));
  path = join(dir, 'store.db');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

/** Another process that writes k0, k1, … one by one, and prints each key once it is acknowledged. */
function startWriter(): { child: ChildProcess; lines: AsyncIterableIterator<string> } {
  const program = `
    const { openEmbeddedStore } = await import(process.argv[1]);
    const store = openEmbeddedStore({ path: process.argv[2], kind: 'test' });
    const { signal } = new AbortController();
    for (let i = 0; ; i++) {
      await store.put([{ key: 'k' + i, value: 'v', ttlMs: undefined }], { signal });
      process.stdout.write('k' + i + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  const module = new URL('embedded-store.ts', import.meta.url).href;
  const flags = [
    '--conditions=@tagplane/source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
  ];
  const child = spawn(process.execPath, [...flags, '-e', program, module, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

describe('the file', () => {
  it('keeps everything over a kill in the middle of writes, and the feed goes on', async () => {
    const { child, lines } = startWriter();
    const acknowledged: string[] = [];
    for await (const key of lines) {
      acknowledged.push(key);
      if (acknowledged.length === 50) child.kill('SIGKILL');
    }
    await using store = openEmbeddedStore({ path, kind: 'test' });
    const entries = await readAll(store);
    const keys = new Set(entries.map(({ key }) => key));
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([]);
    const first = Math.min(...entries.map(({ revision }) => revision));
    await using reader = await readFeed(store, { revision: first, epoch: await store.epoch(CALL) });
    await reader.until(({ changes }) => changes.length === keys.size - 1, 'the rest of the feed');
    expect(reader.batches.every(({ type }) => type === 'changes')).toBe(true);
  });

  it('is shared by processes, whose feeds tell of each other', async () => {
    await using store = openEmbeddedStore({ path, kind: 'test' });
    await using reader = await readFeed(store);
    const { child, lines } = startWriter();
    await lines.next();
    const own = await putOne(store, item('own'));
    await reader.until(
      ({ changes }) => changes.some(({ revision }) => revision > own),
      'changes of the other',
    );
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const keys = (await readAll(store)).map(({ key }) => key).sort();
    await reader.until(({ changes }) => changes.length === keys.length, 'all changes');
    expect(reader.changes.map(({ key }) => key).sort()).toEqual(keys);
  });

  it('holds several kinds apart', async () => {
    await using servers = openEmbeddedStore({ path, kind: 'servers' });
    await using nodes = openEmbeddedStore({ path, kind: 'node-states' });
    await putOne(servers, item('k', 'server'));
    await putOne(nodes, item('k', 'node'));
    expect(await readAll(servers)).toMatchObject([{ value: 'server' }]);
    expect(await readAll(nodes)).toMatchObject([{ value: 'node' }]);
    expect(await servers.epoch(CALL)).not.toBe(await nodes.epoch(CALL));
  });

  it('is for its owner only, also when it was not', async () => {
    await writeFile(path, '');
    await chmod(path, 0o644);
    await using store = openEmbeddedStore({ path, kind: 'test' });
    await putOne(store, item('k'));
    const names = await readdir(dir);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it('that another process holds is waited for, but not longer than the deadline', async () => {
    await using store = openEmbeddedStore({ path, kind: 'test', commandTimeoutMs: 100 });
    await using patient = openEmbeddedStore({ path, kind: 'test' });
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    await expect(putOne(store, item('k'))).rejects.toThrow(StoreUnavailableError);
    expect(await readAll(store)).toEqual([]);
    const stop = new AbortController();
    const reason = new Error('stop');
    const waiting = expect(store.put([item('k')], stop)).rejects.toBe(reason);
    stop.abort(reason);
    await waiting;
    const written = putOne(patient, item('k'));
    holder.exec('COMMIT');
    holder.close();
    expect(await written).toBeGreaterThan(0);
  });
});

describe('a file that cannot be opened', () => {
  const open = (): unknown => openEmbeddedStore({ path, kind: 'test' });

  it('is named when its folder is missing', () => {
    path = join(dir, 'missing', 'store.db');
    expect(open).toThrow(`cannot open the store at ${path}: ENOENT`);
  });

  it('is named when it is a folder', () => {
    path = dir;
    expect(open).toThrow(`cannot open the store at ${dir}: EISDIR`);
  });

  it('is named when it is no database', async () => {
    await writeFile(path, 'text '.repeat(1_000));
    expect(open).toThrow(/cannot open the store at .*: file is not a database/);
  });

  it("is left alone when it is another program's", () => {
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE theirs (id INTEGER)');
    db.close();
    expect(open).toThrow(/another program/);
  });

  it('is left alone when a newer version wrote it', async () => {
    await openEmbeddedStore({ path, kind: 'test' })[Symbol.asyncDispose]();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(open).toThrow(/schema version 2, newer than 1/);
  });

  it.each(['', 'A', 'a"b'])('is not tried for the kind %j', (kind) => {
    expect(() => openEmbeddedStore({ path, kind })).toThrow(RangeError);
  });
});
