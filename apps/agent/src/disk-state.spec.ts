import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import type { HeldLabels } from '@tagplane/session';
import fc from 'fast-check';
import type { LabelOwner } from './disk-codec.ts';
import { decodeLabels, encodeLabels } from './disk-codec.ts';
import { openDiskState } from './disk-state.ts';
import { clockAt, heldOf, sampleInstance, sampleServerId } from './testing/index.ts';

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
  await (await open()).labelStore(() => owner).write(held, undefined);
}

async function read(owner = OWNER): Promise<HeldLabels | undefined> {
  return (await open()).readLabels({ owner, vouching: { signed: false }, now: clockAt(0)() });
}

const FILES = ['counters.json', 'labels.json', 'state.key'];

describe('labels on disk', () => {
  it('come back as they were, private to their owner', async () => {
    await write();
    expect(await read()).toEqual(HELD);
    expect((await stat(path('labels.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(FILES);
  });

  it('are those of the owner at the time when they came, however late they are written', async () => {
    let owner = OWNER;
    const written = (await open()).labelStore(() => owner).write(HELD, undefined);
    owner = { ...OWNER, instance: sampleInstance('1') };
    await written;
    expect(await read(owner)).toBeUndefined();
  });

  it('are the old ones after a crash before the rename, and the next write succeeds', async () => {
    await write();
    await writeFile(path('labels.json.tmp'), '{"version":1,"server', { mode: 0o644 });
    expect(await read()).toEqual(HELD);
    await write(OTHER);
    expect(await read()).toEqual(OTHER);
    expect((await stat(path('labels.json'))).mode & 0o777).toBe(0o600);
  });

  it.each<[string, LabelOwner]>([
    ['another server id', { ...OWNER, serverId: sampleServerId('web-2') }],
    ['another instance', { ...OWNER, instance: sampleInstance('1') }],
  ])('are refused for %s', async (_, owner) => {
    await write();
    expect(await read(owner)).toBeUndefined();
    expect(await readdir(directory)).toEqual(['counters.json', 'labels.json.bad', 'state.key']);
  });

  it('stand when the instance is not known', async () => {
    await write();
    expect(await read({ ...OWNER, instance: undefined })).toEqual(HELD);
  });

  it('are written in the order of the writes, and gone after a clear', async () => {
    const store = (await open()).labelStore(() => OWNER);
    await Promise.all([
      store.write(HELD, undefined),
      store.write(OTHER, undefined),
      store.write(HELD, undefined),
      store.write(OTHER, undefined),
    ]);
    expect(await read()).toEqual(OTHER);
    await store.clear();
    expect(await read()).toBeUndefined();
  });

  it('round-trip whatever a label may hold', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const duration = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), duration, (pairs, remaining) => {
        const labels = new Map(pairs.map(([key, value]) => [`aws/${key}`, value]));
        const stored = { owner: OWNER, held: heldOf(labels, remaining), signed: undefined };
        expect(decodeLabels(JSON.parse(JSON.stringify(encodeLabels(stored))))).toEqual(stored);
      }),
    );
  });

  it.each([
    ['a label changed', 'secret', 'Secret', /revision/],
    ['a key elsewhere', 'aws/__proto__', 'gcp/secret', /may not hold/],
    ['another shape', '"sets"', '"Sets"', /at sets/],
    ['no number', '"age_ms":1000', '"age_ms":"secret"', /at sets.0.age_ms/],
  ])('are no labels with %s, and the problem quotes none', (_, from, to, problem) => {
    const text = JSON.stringify(encodeLabels({ owner: OWNER, held: HELD, signed: undefined }));
    expect(text).toContain(from);
    const broken: unknown = JSON.parse(text.replace(from, to));
    expect(() => decodeLabels(broken)).toThrow(problem);
    expect(() => decodeLabels(broken)).toThrow(/^(?!.*secret)/i);
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
    expect(await readdir(directory)).toEqual(['counters.json', 'identity.json.bad', 'state.key']);
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
