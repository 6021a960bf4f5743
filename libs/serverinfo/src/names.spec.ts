import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';
import { nameOfKey, serverInfoKey } from './keys.ts';
import {
  discoveredName,
  isAssignedName,
  isPlaceIn,
  parseDiscoveredName,
  placeName,
  placeOfName,
} from './names.ts';

describe('names of discovered ServerInfos', () => {
  it.each([
    ['123456789012', 'eu-central-1', 'i-0123456789abcdef0'],
    ['000000000000', 'us-gov-west-1', 'i-01234567'],
  ])('hold account %s, region %s and instance %s', (account, region, instance) => {
    const key = parseInstanceKey({ account, region, instance });
    if (key === undefined) throw new Error('bad fixture');
    const name = discoveredName(key);
    expect(name).toBe(`aws-${account}-${region}-${instance}`);
    expect(parseDiscoveredName(name)).toEqual(key);
    expect(placeOfName(name)).toBe(placeName(key));
    expect(isPlaceIn(key.region, placeName(key))).toBe(true);
    expect(['gov-west-1', 'west-1'].map((text) => isPlaceIn(text as Region, placeName(key)))).toEqual([
      false,
      false,
    ]);
    expect(isAssignedName(name)).toBe(false);
    expect(serverInfoKey(name)).toBe(`discovered/${name}`);
    expect(nameOfKey(serverInfoKey(name))).toBe(name);
  });

  it.each(['', 'web', 'aws-', 'aws-1-eu-central-1-i-01234567', 'aws-123456789012-nowhere-i-01234567'])(
    'are not like %j',
    (name) => {
      expect(parseDiscoveredName(name)).toBeUndefined();
    },
  );
});

describe("operators' names", () => {
  it.each([
    ['web', true],
    ['Web.1_a-b', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['', false],
    ['-web', false],
    ['a/b', false],
    ['aws-web', false],
  ])('%j: %s', (name, good) => {
    expect(isAssignedName(name)).toBe(good);
    if (good) expect(nameOfKey(serverInfoKey(name))).toBe(name);
  });
});
