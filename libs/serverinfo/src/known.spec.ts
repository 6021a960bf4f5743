import { beforeEach, describe, expect, it } from '@jest/globals';
import { KnownServerInfos } from './known.ts';

describe('what is known of the store', () => {
  let known: KnownServerInfos;
  beforeEach(() => {
    known = new KnownServerInfos();
  });

  it('is what was accepted', () => {
    known.recordAccepted({ name: 'a', revision: 'r1', expiresAt: 9 });
    expect(known.get('a')).toEqual({ state: 'accepted', revision: 'r1', expiresAt: 9 });
    expect([...known.entries()]).toHaveLength(1);
  });

  it('is unsure from the moment a write leaves, for as long as either content may live', () => {
    known.recordAccepted({ name: 'a', revision: 'r1', expiresAt: 9 });
    known.recordSending({ name: 'a', revision: 'r2', expiresAt: 5 });
    expect(known.get('a')).toEqual({ state: 'unsure', expiresAt: 9 });
    known.recordSending({ name: 'a', revision: 'r2', expiresAt: 12 });
    expect(known.get('a')).toEqual({ state: 'unsure', expiresAt: 12 });
  });

  it('holds a refusal until it may be tried again', () => {
    known.recordRefused({ name: 'a', revision: 'r1', expiresAt: 5 }, 20);
    known.prune(19);
    expect(known.get('a')).toEqual({ state: 'refused', revision: 'r1', retryAt: 20, expiresAt: 5 });
    known.prune(20);
    expect(known.get('a')).toBeUndefined();
  });

  it('drops what has run out, and nothing else', () => {
    known.recordAccepted({ name: 'a', revision: 'r1', expiresAt: 9 });
    known.recordAccepted({ name: 'b', revision: 'r1', expiresAt: 10 });
    known.recordSending({ name: 'c', revision: 'r1', expiresAt: 9 });
    known.prune(9);
    expect([...known.entries()].map(([name]) => name)).toEqual(['b']);
  });

  it('forgets one, or all', () => {
    for (const name of ['a', 'b', 'c']) known.recordAccepted({ name, revision: 'r1', expiresAt: 9 });
    known.forget('a');
    expect(known.size).toBe(2);
    known.forgetAll();
    expect(known.size).toBe(0);
  });
});
