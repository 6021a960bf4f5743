import { describe, expect, it } from '@jest/globals';
import { judgeAgent } from './check-agent.ts';

type Status = Parameters<typeof judgeAgent>[0];
const LABELS = { revision: 'a', freshness: 'fresh', source: 'stream', age_s: 1, remaining_s: 1 } as const;
const ROLES = { revision: 'a', freshness: 'fresh', source: 'stream', count: 1, remaining_s: 1 } as const;
const GOOD: Status = { labels: LABELS, roles: ROLES, refused: [] };

describe('judgeAgent', () => {
  it('finds nothing wrong where all is fresh', () => {
    expect(judgeAgent(GOOD)).toEqual([
      { ok: true, text: 'its labels are fresh' },
      { ok: true, text: 'its roles are fresh' },
    ]);
  });

  it.each<[string, Partial<Status>]>([
    ['its labels ran out', { labels: { ...LABELS, freshness: 'stale' } }],
    ['it has no labels', { labels: { ...LABELS, freshness: 'none' } }],
    ['its roles ran out', { roles: { ...ROLES, freshness: 'stale' } }],
    ['it has no roles', { roles: { ...ROLES, freshness: 'none' } }],
    ['it has no roles', { roles: null }],
    ['it did not use state.json: edited', { refused: [{ file: 'state.json', reason: 'edited', at: '' }] }],
  ])('finds that %s', (text, changes) => {
    const wrong = judgeAgent({ ...GOOD, ...changes }).filter(({ ok }) => !ok);
    expect(wrong).toEqual([{ ok: false, text, fix: expect.stringContaining('tagplane-agent status') }]);
  });
});
