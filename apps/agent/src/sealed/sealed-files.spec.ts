import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { heardLog } from '../testing/index.ts';
import { SealedFiles } from './sealed-files.ts';

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
  const { log, said } = heardLog();
  return { files: await SealedFiles.open(directory, log), said };
}

const whole = (content: unknown): unknown => content;

/** As another start of the agent reads it. */
async function read(kind: 'labels' | 'roles' = 'labels', decode = whole) {
  const { files, said } = await open();
  return { value: await files.read(kind, decode), refused: files.refused(), said };
}

async function write(...contents: readonly unknown[]): Promise<void> {
  const { files } = await open();
  for (const content of contents) await files.write('labels', content);
}

describe('SealedFiles', () => {
  it('give back what was written last, for the owner alone', async () => {
    expect((await read()).value).toBeUndefined();
    await write('one', 'two');
    await (await open()).files.write('roles', 'roles');
    expect(await read()).toMatchObject({ value: 'two', refused: [], said: [] });
    expect((await read('roles')).value).toBe('roles');
    expect((await readdir(directory)).sort()).toEqual([
      'counters.json',
      'labels.json',
      'roles.json',
      'state.key',
    ]);
    for (const name of await readdir(directory)) expect((await stat(path(name))).mode & 0o777).toBe(0o600);
  });

  it('are gone after a clear, and written again with higher numbers', async () => {
    await write('one');
    const old = await readFile(path('labels.json'));
    await (await open()).files.clear('labels');
    expect(await read()).toMatchObject({ value: undefined, refused: [] });
    await write('two', 'three');
    await writeFile(path('labels.json'), old);
    expect((await read()).refused).toMatchObject([{ reason: expect.stringMatching(/put back/) }]);
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'a byte was edited',
      async () =>
        writeFile(path('labels.json'), (await readFile(path('labels.json'), 'utf8')).replace('two', 'twO')),
      /not as this agent wrote it/,
    ],
    ['it was put back as it was before', () => copyFile(path('old'), path('labels.json')), /put back/],
    ['it is the other file', () => copyFile(path('roles.json'), path('labels.json')), /the file of roles/],
    [
      'it has no seal, as before there were any',
      () => writeFile(path('labels.json'), '{"version":1}'),
      /not sealed/,
    ],
    ['the counters are gone', () => rm(path('counters.json')), /counters.json is missing/],
    ['the counters were edited', () => writeFile(path('counters.json'), '{}'), /counters.json is not as/],
    ['the key is gone', () => rm(path('state.key')), /no state.key/],
    [
      'the key is another one',
      () => writeFile(path('state.key'), 'a'.repeat(64) + '\n'),
      /counters.json is not as/,
    ],
    ['the key is none', () => writeFile(path('state.key'), 'short'), /no state.key/],
    [
      'it is another directory',
      () => copyFile(path('elsewhere/labels.json'), path('labels.json')),
      /not as this agent/,
    ],
  ])('are refused, moved aside and told of when %s', async (_, tamper, reason) => {
    await mkdir(path('elsewhere'));
    const { log } = heardLog();
    await (await SealedFiles.open(path('elsewhere'), log)).write('labels', 'another');
    await write('one');
    await copyFile(path('labels.json'), path('old'));
    await write('two');
    await (await open()).files.write('roles', 'roles');
    await tamper();
    const before = await readFile(path('labels.json'), 'utf8');
    const { value, refused, said } = await read();
    expect(value).toBeUndefined();
    expect(refused).toEqual([
      { file: 'labels.json', reason: expect.stringMatching(reason), at: expect.any(Number) },
    ]);
    expect(said).toMatchObject([
      { event: 'state_refused', path: path('labels.json'), reason: refused[0]?.reason },
    ]);
    expect(await readFile(path('labels.json.bad'), 'utf8')).toBe(before);
    // And the agent goes on from there.
    await write('three');
    expect(await read()).toMatchObject({ value: 'three', refused: [] });
  });

  it('refuse an old file for ever, once the counters were begun anew', async () => {
    await write('one', 'two', 'three');
    await copyFile(path('labels.json'), path('old'));
    await rm(path('counters.json'));
    expect((await read()).value).toBeUndefined();
    await write('four');
    await copyFile(path('old'), path('labels.json'));
    expect((await read()).refused).toMatchObject([
      { reason: expect.stringMatching(/not as this agent wrote it/) },
    ]);
  });

  it('take a file that was written before a crash kept its number from the counters', async () => {
    await write('one');
    await copyFile(path('counters.json'), path('old'));
    const first = await readFile(path('labels.json'));
    await write('two');
    await copyFile(path('old'), path('counters.json'));
    expect(await read()).toMatchObject({ value: 'two', refused: [] });
    // From then on the number counts.
    await writeFile(path('labels.json'), first);
    expect((await read()).refused).toMatchObject([{ reason: expect.stringMatching(/put back/) }]);
  });

  it('refuse what cannot be decoded, for the reason given', async () => {
    await write('one');
    const { value, refused } = await read('labels', () => {
      throw new Error('it was kept for another server');
    });
    expect(value).toBeUndefined();
    expect(refused).toMatchObject([{ reason: 'it was kept for another server' }]);
  });

  it('do not start with a key that others may read', async () => {
    await write('one');
    await chmod(path('state.key'), 0o644);
    await expect(open()).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^data_dir: .*chmod 600/),
    });
  });

  it('name data_dir when there can be no key', async () => {
    await mkdir(path('state.key/x'), { recursive: true });
    await expect(open()).rejects.toThrow(/^data_dir: /);
  });
});
