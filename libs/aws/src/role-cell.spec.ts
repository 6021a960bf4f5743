import { beforeEach, describe, expect, it } from '@jest/globals';
import { RoleCell } from './role-cell.ts';
import type { SessionCredentials } from './role-cell.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let now: number;
let assumed: number;
let lifeMs: number;
let failure: Error | undefined;
let gate: Promise<void>;

beforeEach(() => {
  now = 1_000_000;
  assumed = 0;
  lifeMs = HOUR;
  failure = undefined;
  gate = Promise.resolve();
});

async function assume(): Promise<SessionCredentials> {
  assumed += 1;
  const accessKeyId = `key-${assumed}`;
  await gate;
  if (failure !== undefined) throw failure;
  return { accessKeyId, secretAccessKey: 's', sessionToken: 't', expiration: new Date(now + lifeMs) };
}

function cellWith(random: number): RoleCell {
  return new RoleCell(assume, { now: () => now, random: () => random });
}

const keyOf = async (cell: RoleCell): Promise<string> => (await cell.get()).accessKeyId;

describe('RoleCell', () => {
  it('keeps credentials until five minutes before their end', async () => {
    const cell = cellWith(0);
    expect(await keyOf(cell)).toBe('key-1');
    now += 55 * MINUTE - 1;
    expect(await keyOf(cell)).toBe('key-1');
    now += 1;
    expect(await keyOf(cell)).toBe('key-2');
  });

  it('gives out an end that is early by the jitter, so that the SDK asks again by it', async () => {
    const cell = cellWith(1);
    const { expiration } = await cell.get();
    expect(expiration.getTime()).toBe(now + 55 * MINUTE);
    now += 50 * MINUTE;
    expect(await keyOf(cell)).toBe('key-2');
  });

  it('makes one attempt for all who ask at once', async () => {
    const cell = cellWith(0);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    gate = promise;
    const keys = Array.from({ length: 20 }, () => keyOf(cell));
    resolve(undefined);
    expect(new Set(await Promise.all(keys))).toEqual(new Set(['key-1']));
    expect(assumed).toBe(1);
  });

  it('gives the last good ones while a refresh fails, and no longer than they live', async () => {
    const cell = cellWith(0);
    await cell.get();
    failure = new Error('refused');
    now += 56 * MINUTE;
    expect(await keyOf(cell)).toBe('key-1');
    now += 4 * MINUTE;
    await expect(cell.get()).rejects.toThrow('refused');
    failure = undefined;
    now += 15_000;
    expect(await keyOf(cell)).toBe('key-4');
  });

  it('lets a failure stand for a while, instead of asking for each who asks', async () => {
    const cell = cellWith(0);
    failure = new Error('refused');
    await expect(cell.get()).rejects.toThrow('refused');
    now += 14_999;
    await expect(cell.get()).rejects.toThrow('refused');
    expect(assumed).toBe(1);
    now += 1;
    failure = undefined;
    expect(await keyOf(cell)).toBe('key-2');
  });

  it('keeps short-lived credentials for half of their life at least', async () => {
    lifeMs = 60_000;
    const cell = cellWith(1);
    const { expiration } = await cell.get();
    expect(expiration.getTime()).toBe(now + 45_000);
    now += 29_999;
    expect(await keyOf(cell)).toBe('key-1');
    now += 1;
    expect(await keyOf(cell)).toBe('key-2');
  });

  it('does not give credentials that had run out when they came', async () => {
    lifeMs = -1;
    await expect(cellWith(0).get()).rejects.toThrow('run out');
  });
});
