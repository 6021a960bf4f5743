import { describe, expect, it } from '@jest/globals';
import { RecentIds } from './recent-ids.ts';

describe('recent ids', () => {
  it('are known a while', () => {
    const recent = new RecentIds(3);
    const added = ['a', 'a', 'b', 'c', 'd', 'a', 'e', 'f', 'c'].map((id) => recent.add(id));
    expect(added).toEqual([false, true, false, false, false, true, false, false, false]);
  });
});
