import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readCaPins } from './ca-pins.ts';

const PIN = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;

describe('readCaPins', () => {
  let folder: string;
  let pinFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ca-pins-'));
    pinFile = join(folder, 'ca-pin');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('needs no file', async () => {
    expect(await readCaPins({ pins: [PIN] })).toEqual([PIN]);
  });

  it.each([
    [`${PIN}\n`, [], [PIN]],
    [`${PIN}\n${OTHER.toUpperCase().replace('SHA', 'sha')}\n`, [], [PIN, OTHER]],
    [`${PIN}, ${OTHER}`, [], [PIN, OTHER]],
    [`${PIN}\n`, [OTHER, PIN], [OTHER, PIN]],
  ])('reads %j, beside %j', async (text, pins, all) => {
    await writeFile(pinFile, text);
    expect(await readCaPins({ pins, pinFile })).toEqual(all);
  });

  it('reads the file anew each time', async () => {
    await expect(readCaPins({ pins: [PIN], pinFile })).rejects.toThrow(`${pinFile} does not exist`);
    await writeFile(pinFile, PIN);
    expect(await readCaPins({ pins: [], pinFile })).toEqual([PIN]);
    await writeFile(pinFile, OTHER);
    expect(await readCaPins({ pins: [], pinFile })).toEqual([OTHER]);
  });

  it.each(['', '\n', 'sha256:', `${PIN} x`, Array<string>(9).fill(PIN).join('\n')])(
    'refuses %j',
    async (text) => {
      await writeFile(pinFile, text);
      await expect(readCaPins({ pins: [PIN], pinFile })).rejects.toThrow(`${pinFile} holds no pins`);
    },
  );
});
