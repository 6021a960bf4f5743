import { describe, expect, it } from '@jest/globals';
import { fakeInstance, fakeScanner } from '@tagplane/ec2/testing';
import { carryAll, discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import { scanScope } from './scope-scan.ts';
import { fakeScope } from './testing/scopes.ts';

const { signal } = new AbortController();

describe('a scan', () => {
  it('of which a newer word is known leaves that, and takes what nothing is known of', async () => {
    const shown = [1, 2, 3].map((number) => fakeInstance(number, { tags: [['env', 'scan']] }));
    const [first, second, third] = shown;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three');
    const before = new Map<string, FoundInstance>(
      [first, second].map(({ key }) => {
        const looked = { ...fakeInstance(0, { tags: [['env', 'event']] }), key };
        return [discoveredName(key), observeInstance(looked, 1_000, { carry: carryAll })];
      }),
    );
    const asked: number[] = [];
    const scope = fakeScope({ scanner: fakeScanner(() => [{ instances: shown }]) });
    const { findings, from } = await scanScope(scope, () => before, {
      signal,
      onRequests: () => undefined,
      isStale: (key, _, askedAt) => {
        asked.push(askedAt);
        return key.instance !== second.key.instance;
      },
    });
    const labels = shown.map(({ key }) => findings.get(discoveredName(key))?.packedLabels);
    expect(labels).toEqual(['event', 'scan', 'scan'].map((env) => expect.stringContaining(env)));
    expect(findings.get(discoveredName(first.key))).toBe(before.get(discoveredName(first.key)));
    expect(asked.every((at) => at >= from)).toBe(true);
  });
});
