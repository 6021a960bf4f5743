import { beforeEach, describe, expect, it } from '@jest/globals';
import { KnownServerInfos } from './known.ts';
import { placeOfName } from './names.ts';
import type { Sent } from './known.ts';

function sent(name: string, revision: string, expiresAt: number): Sent {
  return { name, revision, packedLabels: `["aws/v","${revision}"]`, expiresAt };
}

const held = sent('', 'r1', 0).packedLabels;

describe('what is known of the store', () => {
  let known: KnownServerInfos;
  beforeEach(() => {
    known = new KnownServerInfos();
  });

  it('is what was accepted', () => {
    known.recordAccepted(sent('a', 'r1', 9));
    expect(known.get('a')).toEqual({ state: 'accepted', revision: 'r1', expiresAt: 9, held });
    expect([...known.entries()]).toHaveLength(1);
  });

  it('is unsure from the moment a write leaves, for as long as either content may live', () => {
    known.recordAccepted(sent('a', 'r1', 9));
    known.recordSending(sent('a', 'r2', 5));
    expect(known.get('a')).toEqual({ state: 'unsure', expiresAt: 9, held });
    known.recordSending(sent('a', 'r2', 12));
    expect(known.get('a')).toEqual({ state: 'unsure', expiresAt: 12, held });
  });

  it('still holds what was accepted when something else was refused', () => {
    known.recordAccepted(sent('a', 'r1', 9));
    known.recordSending(sent('a', 'r2', 9));
    known.recordRefused(sent('a', 'r2', 9), 20);
    expect(known.get('a')).toMatchObject({ state: 'refused', held });
  });

  it('shares the text of a scan that found the same, and of no other', () => {
    known.recordAccepted(sent('a', 'r1', 9));
    known.share({ name: 'a', revision: 'r2', packedLabels: 'other' });
    expect(known.get('a')).toMatchObject({ held });
    known.share({ name: 'a', revision: 'r1', packedLabels: 'the same, in another order' });
    expect(known.get('a')).toMatchObject({ expiresAt: 9, held: 'the same, in another order' });
  });

  it('holds a refusal until it may be tried again', () => {
    known.recordRefused(sent('a', 'r1', 5), 20);
    known.prune(19);
    expect(known.get('a')).toEqual({
      state: 'refused',
      revision: 'r1',
      retryAt: 20,
      expiresAt: 5,
      held: undefined,
    });
    known.prune(20);
    expect(known.get('a')).toBeUndefined();
  });

  it('drops what has run out, and nothing else', () => {
    known.recordAccepted(sent('a', 'r1', 9));
    known.recordAccepted(sent('b', 'r1', 10));
    known.recordSending(sent('c', 'r1', 9));
    known.prune(9);
    expect([...known.entries()].map(([name]) => name)).toEqual(['b']);
  });

  it('forgets one, or all', () => {
    for (const name of ['a', 'b', 'c']) known.recordAccepted(sent(name, 'r1', 9));
    known.forget('a');
    expect(known.size).toBe(2);
    known.forgetAll();
    expect(known.size).toBe(0);
  });

  it('finds those of a place without the others', () => {
    const known = new KnownServerInfos();
    const names = ['aws-123456789012-eu-west-1-i-01234567', 'aws-123456789012-eu-west-2-i-01234567'];
    for (const [index, name] of names.entries()) {
      const packedLabels = index === 0 ? '["aws/a","1"]' : '[]';
      known.recordAccepted({ name, revision: 'r', packedLabels, expiresAt: 10 });
    }
    const places = names.map(placeOfName);
    expect([...known.places()]).toEqual(places);
    expect(places.map((place) => [...known.at(place)].map(([name]) => name))).toEqual(names.map((n) => [n]));
    expect(places.map((place) => known.labelledAt(place))).toEqual([1, 0]);
    known.forget(names[0] ?? '');
    known.forget(names[0] ?? '');
    expect([known.size, [...known.places()], [...known.at(places[0] ?? '')]]).toEqual([
      1,
      places.slice(1),
      [],
    ]);
    known.prune(10);
    expect([known.size, [...known.places()]]).toEqual([0, []]);
  });
});
