import { describe, expect, it } from '@jest/globals';
import { resolveStoreOptions } from './options.ts';

describe('resolveStoreOptions', () => {
  it('fills in the documented defaults', () => {
    expect(resolveStoreOptions({})).toEqual({
      feedLength: 200_000,
      goneRetentionMs: 86_400_000,
      expiryIntervalMs: 1_000,
      commandTimeoutMs: 5_000,
    });
  });

  it('keeps what is given', () => {
    expect(resolveStoreOptions({ feedLength: 10, commandTimeoutMs: 1 })).toMatchObject({
      feedLength: 10,
      commandTimeoutMs: 1,
    });
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses %d', (value) => {
    expect(() => resolveStoreOptions({ goneRetentionMs: value })).toThrow(/goneRetentionMs/);
  });
});
