import { describe, expect, it } from '@jest/globals';
import { RecentNodes } from './recent-nodes.ts';

describe('nodes that were changed just before', () => {
  it('are known for the window, from when they were first counted', () => {
    let now = 0;
    const recent = new RecentNodes(10, () => now);
    recent.note(['a']);
    now = 9;
    recent.note(['a', 'b']);
    expect([recent.has('a'), recent.has('b'), recent.has('c')]).toEqual([true, true, false]);
    now = 10;
    expect([recent.has('a'), recent.has('b')]).toEqual([false, true]);
    recent.note(['a']);
    now = 19;
    expect([recent.has('a'), recent.has('b')]).toEqual([true, false]);
  });

  it('are no more than 100,000: the oldest are forgotten', () => {
    const recent = new RecentNodes(10, () => 0);
    recent.note(Array.from({ length: 100_001 }, (_, n) => String(n)));
    expect([recent.has('0'), recent.has('1'), recent.has('100000')]).toEqual([false, true, true]);
  });
});
