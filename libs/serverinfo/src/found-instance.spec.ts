import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey } from '@tagplane/identity';
import { MAX_LABELS_PER_NAMESPACE, MAX_SYSTEM_LABELS, labelsRevision } from '@tagplane/labels';
import fc from 'fast-check';
import { draftProblem } from './draft-problem.ts';
import { draftOf, observeInstance } from './found-instance.ts';
import type { DescribedInstance } from './found-instance.ts';

const key = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0123456789abcdef0',
});
if (key === undefined) throw new Error('bad fixture');
const described = (tags: Iterable<readonly [string, string]>): DescribedInstance => ({
  key,
  state: 'running',
  tags: new Map(tags),
});
const NOW = Date.UTC(2026, 0, 1);

const numbered = (prefix: string, count: number): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`${prefix}${String(index).padStart(3, '0')}`, 'v']);

describe('an observed instance', () => {
  it('keeps every tag under aws/, spelled as it was', () => {
    const tags: [string, string][] = [
      ['Name', 'web'],
      ['kubernetes.io/role', 'node'],
      ['Patch Group', ''],
      ['aws:autoscaling:groupName', 'asg'],
      ['__proto__', 'x'],
      ['größe', '🦊'],
    ];
    const found = observeInstance(described(tags), NOW);
    const draft = draftOf(found, 4_800_000);
    expect([...draft.labels]).toEqual(tags.map(([tag, value]) => [`aws/${tag}`, value]));
    expect(found.revision).toBe(labelsRevision(draft.labels));
    expect(found.rejected).toEqual([]);
    expect(draft).toMatchObject({
      name: 'aws-123456789012-eu-central-1-i-0123456789abcdef0',
      match: { kind: 'aws-instance', instance: key },
      observedAt: NOW,
      ttlMs: 4_800_000,
    });
  });

  it.each([
    [{ state: 'terminated', platform: 'windows' }],
    [{ state: 'shutting-down', platform: 'linux' }],
  ] as const)('keeps its state and platform: %j', (said) => {
    expect(observeInstance({ ...described([]), ...said }, NOW)).toMatchObject(said);
  });

  it('is the same with and without what the scan before made of it', () => {
    const earlier = observeInstance(described([['Name', 'web']]), NOW - 1);
    for (const tags of [[['Name', 'web']], [['Name', 'db']], []] as [string, string][][]) {
      const next = described(tags);
      expect(observeInstance(next, NOW, { previous: earlier })).toEqual(observeInstance(next, NOW));
    }
  });

  it('reports a tag that cannot be carried, and carries the others', () => {
    const found = observeInstance(
      described([
        ['long', 'hunter2'.repeat(40)],
        ['Name', 'web'],
      ]),
      NOW,
    );
    expect([...draftOf(found, 1).labels]).toEqual([['aws/Name', 'web']]);
    expect(found.rejected).toEqual([{ key: 'long', reason: expect.stringMatching(/longer than 256/) }]);
    expect(JSON.stringify(found.rejected)).not.toContain('hunter2');
    expect(draftOf(found, 1).rejected).toEqual([{ key: 'long', reason: found.rejected[0]?.reason }]);
  });

  it('says which tags were rejected so that any program can read it: short and well-formed', () => {
    const key = `${'k'.repeat(127)}🦊k`;
    const found = observeInstance(
      described([
        [key, 'x'.repeat(257)],
        ['\ud800', ''],
      ]),
      NOW,
    );
    const keys = draftOf(found, 1).rejected?.map((tag) => tag.key);
    expect(keys).toEqual([`${'k'.repeat(127)}…`, '\ufffd']);
    expect(draftOf(observeInstance(described([['a', 'b']]), NOW), 1)).not.toHaveProperty('rejected');
  });

  it("rejects the last of too many tags, counting AWS's own apart", () => {
    const system = numbered('aws:', MAX_SYSTEM_LABELS + 2);
    const users = numbered('z', MAX_LABELS_PER_NAMESPACE + 1);
    const found = observeInstance(described([...users.toReversed(), ...system]), NOW);
    expect(found.rejected.map((tag) => tag.key)).toEqual(['aws:014', 'aws:015', 'z050']);
    expect(draftOf(found, 1).labels.size).toBe(MAX_LABELS_PER_NAMESPACE + MAX_SYSTEM_LABELS);
  });

  it('always makes a draft that the auth service takes, and loses no tag silently', () => {
    const tags = fc.uniqueArray(
      fc.tuple(
        fc.string({
          unit: fc.oneof(fc.constantFrom('a', 'aws:', ' ', '/', '\ud800', '🦊')),
          minLength: 1,
          maxLength: 130,
        }),
        fc.string({ unit: 'binary', maxLength: 260 }),
      ),
      { selector: ([tag]) => tag, maxLength: 80 },
    );
    fc.assert(
      fc.property(tags, (entries) => {
        const found = observeInstance(described(entries), NOW);
        const draft = draftOf(found, 4_800_000);
        expect(draftProblem(draft, 'discovery')).toBeUndefined();
        const carried = [...draft.labels.keys()].map((label) => label.slice('aws/'.length));
        const accounted = [...carried, ...found.rejected.map((tag) => tag.key)];
        expect(accounted.toSorted()).toEqual(entries.map(([tag]) => tag).toSorted());
      }),
    );
  });
});
