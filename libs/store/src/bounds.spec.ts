import { describe, expect, it } from '@jest/globals';
import {
  MAX_TTL_MS,
  checkDeletes,
  checkGuard,
  checkKeys,
  checkKind,
  checkPrefix,
  checkPuts,
  checkRange,
  checkRevision,
} from './bounds.ts';

const put = { key: 'k', value: 'v', ttlMs: undefined };

describe('bounds', () => {
  it.each<[string, () => void]>([
    [
      'a kind of one letter',
      () => {
        checkKind('a');
      },
    ],
    [
      'a long kind',
      () => {
        checkKind(`a${'-9'.repeat(15)}z`);
      },
    ],
    [
      'nothing to put',
      () => {
        checkPuts([]);
      },
    ],
    [
      '1,000 items',
      () => {
        checkPuts(Array.from({ length: 1_000 }, () => put));
      },
    ],
    [
      'the longest key',
      () => {
        checkKeys(['€'.repeat(341) + 'k']);
      },
    ],
    [
      'the longest value',
      () => {
        checkPuts([{ ...put, value: 'v'.repeat(1_048_576) }]);
      },
    ],
    [
      'the shortest TTL',
      () => {
        checkPuts([{ ...put, ttlMs: 1 }]);
      },
    ],
    [
      'the longest TTL',
      () => {
        checkPuts([{ ...put, ttlMs: MAX_TTL_MS }]);
      },
    ],
    [
      'expectations',
      () => {
        checkPuts([
          { ...put, expected: { live: false } },
          { ...put, expected: { revision: 0 } },
        ]);
      },
    ],
    [
      'an expected end',
      () => {
        checkPuts([{ ...put, expected: { endsWith: 'v' } }]);
        checkDeletes([{ key: 'k', expected: { endsWith: '' } }]);
      },
    ],
    [
      'guards',
      () => {
        checkGuard(undefined);
        checkGuard({ key: 'k', live: false });
        checkGuard({ key: 'k', startsWith: '' });
      },
    ],
    [
      'an empty prefix',
      () => {
        checkRange({ prefix: '', limit: 1 });
      },
    ],
    [
      'the longest page',
      () => {
        checkRange({ prefix: 'p', after: 'p1', limit: 1_000 });
      },
    ],
  ])('allow %s', (_, check) => {
    expect(check).not.toThrow();
  });

  it.each<[string, () => void]>([
    [
      'an empty kind',
      () => {
        checkKind('');
      },
    ],
    [
      'a kind with a brace',
      () => {
        checkKind('a}');
      },
    ],
    [
      'a kind of 33 characters',
      () => {
        checkKind('a'.repeat(33));
      },
    ],
    [
      '1,001 puts',
      () => {
        checkPuts(Array.from({ length: 1_001 }, () => put));
      },
    ],
    [
      '1,001 deletes',
      () => {
        checkDeletes(Array.from({ length: 1_001 }, () => ({ key: 'k' })));
      },
    ],
    [
      'an empty key',
      () => {
        checkKeys(['']);
      },
    ],
    [
      'a key of 1,025 bytes',
      () => {
        checkKeys(['€'.repeat(341) + 'kk']);
      },
    ],
    [
      'half a surrogate pair in a key',
      () => {
        checkKeys(['\ud800']);
      },
    ],
    [
      'half a surrogate pair in a value',
      () => {
        checkPuts([{ ...put, value: '\udc00' }]);
      },
    ],
    [
      'a value of 1 MiB and a byte',
      () => {
        checkPuts([{ ...put, value: 'v'.repeat(1_048_577) }]);
      },
    ],
    [
      'a TTL of zero',
      () => {
        checkPuts([{ ...put, ttlMs: 0 }]);
      },
    ],
    [
      'a TTL of half a millisecond',
      () => {
        checkPuts([{ ...put, ttlMs: 0.5 }]);
      },
    ],
    [
      'an endless TTL',
      () => {
        checkPuts([{ ...put, ttlMs: Infinity }]);
      },
    ],
    [
      'a negative expectation',
      () => {
        checkPuts([{ ...put, expected: { revision: -1 } }]);
      },
    ],
    [
      'a fractional expectation',
      () => {
        checkDeletes([{ key: 'k', expected: { revision: 1.5 } }]);
      },
    ],
    [
      'half a surrogate pair in an expected end',
      () => {
        checkPuts([{ ...put, expected: { endsWith: '\udc00' } }]);
      },
    ],
    [
      'a guard without a key',
      () => {
        checkGuard({ key: '', live: false });
      },
    ],
    [
      'half a surrogate pair in a guard',
      () => {
        checkGuard({ key: 'k', startsWith: '\ud800' });
      },
    ],
    [
      'a page of nothing',
      () => {
        checkRange({ prefix: '', limit: 0 });
      },
    ],
    [
      'a page of 1,001',
      () => {
        checkRange({ prefix: '', limit: 1_001 });
      },
    ],
    [
      'a start that is longer than keys are',
      () => {
        checkRange({ prefix: '', after: 'k'.repeat(1_025), limit: 1 });
      },
    ],
    [
      'a prefix that is longer than keys are',
      () => {
        checkPrefix('k'.repeat(1_025));
      },
    ],
    [
      'a position past exact integers',
      () => {
        checkRevision(2 ** 53);
      },
    ],
  ])('refuse %s', (_, check) => {
    expect(check).toThrow(RangeError);
  });
});
