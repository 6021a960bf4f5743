import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { SEALING_KEY, openTestCa } from '../testing/test-ca.ts';
import { testStores } from '../testing/test-stores.ts';
import { NO_COPY, caCopy } from './ca-copy.ts';
import type { CaCopy } from './ca-copy.ts';
import { newCa } from './opened-ca.ts';

let folder: string;
let path: string;
let copy: CaCopy;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-copy-'));
  path = join(folder, 'ca.key.authority');
  copy = caCopy(join(folder, 'ca.key'), silentLogger());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the copy of the authority', () => {
  it('is put back into an emptied store, so that nobody has to join again', async () => {
    const audit = new RecordingAudit();
    await using first = testStores();
    const before = await openTestCa({ store: first.security, copy });
    await using emptied = testStores();
    const after = await openTestCa({ store: emptied.security, copy, audit });
    expect(after.pins()).toEqual(before.pins());
    expect(audit.records.map(({ code }) => code)).toEqual(['ca.restored']);
    await using elsewhere = testStores();
    const other = await openTestCa({ store: elsewhere.security });
    expect(other.pins()).not.toEqual(before.pins());
  });

  it('follows a rotation', async () => {
    await using stores = testStores();
    const { signal } = new AbortController();
    const authority = await openTestCa({ store: stores.security, copy });
    await authority.rotate('trust', { force: true, signal });
    await expectEventually(async () => (await copy.read())?.phase === 'trusting');
  });

  it('is for its owner only, and holds no key in the clear', async () => {
    await copy.write(await newCa('test', SEALING_KEY, Date.now()));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).not.toContain('PRIVATE KEY');
  });

  it('stops the start when it cannot be read: a new authority would lock everybody out', async () => {
    await using stores = testStores();
    await writeFile(path, 'not a record', { mode: 0o600 });
    await expect(openTestCa({ store: stores.security, copy })).rejects.toThrow();
    await chmod(path, 0o644);
    await expect(copy.read()).rejects.toThrow('chmod 600');
  });

  it('that cannot be written stops nothing', async () => {
    const nowhere = caCopy(join(folder, 'ca.key.authority', 'key'), silentLogger());
    await writeFile(path, '', { mode: 0o600 });
    await expect(nowhere.write(await newCa('test', SEALING_KEY, 0))).resolves.toBeUndefined();
  });

  it('is kept nowhere when the key is in no file', async () => {
    expect(caCopy(undefined, silentLogger())).toBe(NO_COPY);
    expect(await NO_COPY.read()).toBeUndefined();
  });
});

async function expectEventually(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('not so in time');
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
