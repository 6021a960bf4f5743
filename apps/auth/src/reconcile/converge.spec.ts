import { describe, expect, it, jest } from '@jest/globals';
import { converge } from '../testing/converge.ts';

jest.setTimeout(300_000);

describe('one command over 10,000 nodes', () => {
  it('sends each node that it changes one update, others none, and asks the store for none of them', async () => {
    const result = await converge({ picked: 10_000, others: 1_000 });
    expect(result).toMatchObject({ sentToPicked: 10_000, mostForOne: 1, sentToOthers: 0, lookups: 0 });
  });
});
