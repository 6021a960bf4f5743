import { describe, expect, it } from '@jest/globals';
import type { Upsert } from '@tagplane/serverinfo';
import { fitting } from './batch-bytes.ts';

function upsert(characters: number): Upsert {
  const found = {
    name: 'aws-123456789012-eu-central-1-i-01234567',
    state: 'running' as const,
    platform: 'linux' as const,
    revision: 'r',
    packedLabels: 'ü'.repeat(characters),
    observedAt: 0,
    rejected: [],
  };
  return { action: 'upsert', name: found.name, reason: 'new', found };
}

describe('what fits into one request', () => {
  it.each([
    ['nothing', [], 0],
    ['a full batch of common size', Array.from({ length: 1_000 }, () => upsert(500)), 1_000],
    ['the greatest items, by their bytes', Array.from({ length: 112 }, () => upsert(50_000)), 31],
    ['one item, however great', [upsert(2_000_000), upsert(1)], 1],
  ])('is %s', (_, work, count) => {
    expect(fitting(work)).toBe(count);
  });
});
