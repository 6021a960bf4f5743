import { describe, expect, it } from '@jest/globals';
import { MAX_REJECTED, clipRejected, rejectedProblem } from './rejected.ts';

const one = { key: 'a', reason: 'why' };
const many = (count: number) => Array.from({ length: count }, () => one);

describe('rejected tags', () => {
  it.each([
    ['none', []],
    ['as many as there may be', many(MAX_REJECTED)],
    ['the longest key', [{ ...one, key: '🦊'.repeat(128) }]],
    ['the longest reason', [{ ...one, reason: 'ß'.repeat(200) }]],
  ])('may be %s', (_, rejected) => {
    expect(rejectedProblem(rejected)).toBeUndefined();
    expect(clipRejected(rejected)).toEqual(rejected);
  });

  it.each([
    ['too many', many(MAX_REJECTED + 1), '65 rejected tags, but at most 64 are taken'],
    ['a long key', [one, { ...one, key: 'k'.repeat(129) }], /key .* longer than 128/],
    ['a long key of few units', [{ ...one, key: '🦊'.repeat(129) }], /key .* longer than 128/],
    ['a long reason', [{ ...one, reason: 'w'.repeat(201) }], /reason .* longer than 200/],
  ])('may not be %s, and are cut to what they may be', (_, rejected, problem) => {
    expect(rejectedProblem(rejected)).toMatch(problem);
    expect(rejectedProblem(clipRejected(rejected))).toBeUndefined();
  });

  it('are cut with a mark, between characters, and well-formed', () => {
    const [first] = clipRejected([{ key: '🦊'.repeat(130), reason: '\ud800' }]);
    expect(first).toEqual({ key: `${'🦊'.repeat(127)}…`, reason: '\ufffd' });
  });
});
