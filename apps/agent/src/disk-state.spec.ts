import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import fc from 'fast-check';
import type { LabelOwner } from './disk-codec.ts';
import { decodeLabels, encodeLabels } from './disk-codec.ts';
import { openDiskState } from './disk-state.ts';
import { heldOf, sampleInstance, sampleServerId } from './testing/index.ts';

const OWNER: LabelOwner = { serverId: sampleServerId('web-1'), instance: sampleInstance('0') };
const HELD = heldOf(
  new Map([
    ['aws/__proto__', 'secret'],
    ['dynamic/a', ''],
  ]),
  60_000,
);
const OTHER = heldOf(new Map([['aws/env', 'dev']]));

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function path(name: string): string {
  return join(directory, name);
}

async function open() {
  return openDiskState(directory, silentLogger());
}

async function write(held = HELD, owner = OWNER): Promise<void> {
  await (await open()).labelStore(() => owner).write(held);
}

describe('labels on disk', () => {
  it('come back as they were, private to their owner', async () => {
    await write();
    expect(await (await open()).readLabels(OWNER)).toEqual(HELD);
    expect((await stat(path('labels.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['labels.json']);
  });

  it('are those of the owner at the time when they came, however late they are written', async () => {
    let owner = OWNER;
    const written = (await open()).labelStore(() => owner).write(HELD);
    owner = { ...OWNER, instance: sampleInstance('1') };
    await written;
    expect(await (await open()).readLabels(owner)).toBeUndefined();
  });

  it('are the old ones after a crash before the rename, and the next write succeeds', async () => {
    await write();
    await writeFile(path('labels.json.tmp'), '{"version":1,"server', { mode: 0o644 });
    expect(await (await open()).readLabels(OWNER)).toEqual(HELD);
    await write(OTHER);
    expect(await (await open()).readLabels(OWNER)).toEqual(OTHER);
    expect((await stat(path('labels.json'))).mode & 0o777).toBe(0o600);
  });

  it.each<[string, LabelOwner]>([
    ['another server id', { ...OWNER, serverId: sampleServerId('web-2') }],
    ['another instance', { ...OWNER, instance: sampleInstance('1') }],
  ])('are discarded for %s', async (_, owner) => {
    await write();
    expect(await (await open()).readLabels(owner)).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
  });

  it('stand when the instance is not known', async () => {
    await write();
    expect(await (await open()).readLabels({ ...OWNER, instance: undefined })).toEqual(HELD);
  });

  it.each([
    ['no JSON', '{"version":1,"secret'],
    ['nothing', ''],
    ['a later version', '{"version":2}'],
    ['a label changed', encodeLabels({ owner: OWNER, held: HELD }).replace('secret', 'Secret')],
    ['a key elsewhere', encodeLabels({ owner: OWNER, held: HELD }).replace('aws/__proto__', 'gcp/a')],
    ['another shape', encodeLabels({ owner: OWNER, held: HELD }).replace('"sets"', '"Sets"')],
  ])('are set aside when the file has %s', async (_, text) => {
    await writeFile(path('labels.json'), text);
    expect(await (await open()).readLabels(OWNER)).toBeUndefined();
    expect(await readdir(directory)).toEqual(['labels.json.bad']);
    expect(await readFile(path('labels.json.bad'), 'utf8')).toBe(text);
    await write();
    expect(await (await open()).readLabels(OWNER)).toEqual(HELD);
  });

  it('are written in the order of the writes, and gone after a clear', async () => {
    const store = (await open()).labelStore(() => OWNER);
    await Promise.all([store.write(HELD), store.write(OTHER), store.write(HELD), store.write(OTHER)]);
    expect(await (await open()).readLabels(OWNER)).toEqual(OTHER);
    await store.clear();
    expect(await (await open()).readLabels(OWNER)).toBeUndefined();
  });

  it('round-trip whatever a label may hold', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const duration = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), duration, (pairs, remaining) => {
        const labels = new Map(pairs.map(([key, value]) => [`aws/${key}`, value]));
        const stored = { owner: OWNER, held: heldOf(labels, remaining) };
        expect(decodeLabels(encodeLabels(stored))).toEqual(stored);
      }),
    );
  });

  it('never quote a label when they cannot be read', () => {
    const broken = encodeLabels({ owner: OWNER, held: HELD }).replace('"age_ms":1000', '"age_ms":"secret"');
    expect(() => decodeLabels(broken)).toThrow(/^(?!.*secret)/);
    expect(() => decodeLabels('{"secret')).toThrow(/^not JSON$/);
  });
});

describe('the identity on disk', () => {
  const record = {
    serverId: sampleServerId('own'),
    generated: true,
    instance: sampleInstance('0'),
    boot: 'b',
  };

  it('comes back as it was, also without an instance', async () => {
    const state = await open();
    expect(await state.readIdentity()).toBeUndefined();
    await state.writeIdentity(record);
    expect(await (await open()).readIdentity()).toEqual(record);
    await state.writeIdentity({ ...record, instance: undefined });
    expect(await (await open()).readIdentity()).toEqual({ ...record, instance: undefined });
  });

  it('is set aside when it cannot be read', async () => {
    await writeFile(path('identity.json'), '{"version":1,"server_id":"-"}');
    expect(await (await open()).readIdentity()).toBeUndefined();
    expect(await readdir(directory)).toEqual(['identity.json.bad']);
  });
});

describe('openDiskState', () => {
  it('makes the directory, for its owner only', async () => {
    const deep = path('a/b');
    await openDiskState(deep, silentLogger());
    expect((await stat(deep)).mode & 0o777).toBe(0o700);
  });

  it('names data_dir when it is a file', async () => {
    await writeFile(path('file'), '');
    await expect(openDiskState(path('file'), silentLogger())).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^data_dir: /),
    });
  });

  it('names data_dir when a file cannot be written there', async () => {
    const state = await open();
    await chmod(directory, 0o700);
    // A directory in the file's place fails for the superuser too.
    const { mkdir } = await import('node:fs/promises');
    await mkdir(path('identity.json/x'), { recursive: true });
    const record = { serverId: sampleServerId('own'), generated: true, instance: undefined, boot: 'b' };
    await expect(state.writeIdentity(record)).rejects.toThrow(/^data_dir: /);
  });
});
