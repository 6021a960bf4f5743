import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Selector } from '@tagplane/labels';
import { EVERY_NODE } from '@tagplane/labels';
import { CompiledRoles } from './compiled-roles.ts';
import type { AccessRequest } from './decide.ts';
import { decide } from './decide.ts';
import type { LabelSet, NodeLabels } from './node-labels.ts';
import type { AccessRole, AccessRule } from './role.ts';
import { referenceDecide } from './testing/reference.ts';

// A small world, so that roles, labels and requests often have to do with each other.
const KEYS = ['env', 'team', 'aws/env', 'aws/team', 'dynamic/x'];
const VALUES = ['a', 'b', 'ab', ''];
const NAMES = ['r0', 'r1', 'r2', 'r3'];
const LATEST = 30;

const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom(...VALUES);
const pattern = fc.constantFrom('a', 'b', 'ab', '', '*', 'a*', '*b', '\\*', '^a+$', '^[ab]*$', '^b?$', '^.$');
const selector: fc.Arbitrary<Selector> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(EVERY_NODE) },
  {
    weight: 5,
    arbitrary: fc.record({
      terms: fc.uniqueArray(fc.record({ key, values: fc.array(pattern, { minLength: 1, maxLength: 2 }) }), {
        minLength: 1,
        maxLength: 2,
        selector: (term) => term.key,
      }),
    }),
  },
);
const login = fc.constantFrom(
  'root',
  'deploy',
  '*',
  '*',
  '{{traits.t}}',
  'dev-{{traits.t}}',
  '{{traits.none}}',
);
const rule: fc.Arbitrary<AccessRule> = fc.record({
  logins: fc.array(login, { minLength: 1, maxLength: 2 }),
  nodeLabels: selector,
});
const role: fc.Arbitrary<AccessRole> = fc.record({
  name: fc.constantFrom(...NAMES),
  description: fc.constant(''),
  allow: fc.array(rule, { minLength: 1, maxLength: 3 }),
  deny: fc.oneof(fc.constant([]), fc.array(rule, { maxLength: 2 })),
  maxLabelAgeMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
});
const roles = fc.uniqueArray(role, { minLength: 1, maxLength: 4, selector: ({ name }) => name });
const instant = fc.integer({ min: 0, max: LATEST });
const labelSet: fc.Arbitrary<LabelSet> = fc.record({
  source: fc.constantFrom('own', 'command', 'imported', 'discovered', 'assigned'),
  labels: fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => new Map(entries)),
  observedAt: fc.option(instant, { nil: undefined }),
  expiresAt: fc.option(instant, { nil: undefined }),
});
const nodeLabels: fc.Arbitrary<NodeLabels> = fc.record({ sets: fc.array(labelSet, { maxLength: 4 }) });
const request: fc.Arbitrary<AccessRequest> = fc.record({
  login: fc.constantFrom('root', 'deploy', 'dev-a', 'a', '*', ''),
  roles: fc.subarray([...NAMES, 'nobody', 'r0'], { minLength: 1 }),
  traits: fc.constantFrom(new Map(), new Map([['t', ['a', 'b']]]), new Map([['t', ['*', '']]])),
});
const world = fc.record({ labels: nodeLabels, roles, request, now: instant });

interface World {
  readonly labels: NodeLabels;
  readonly roles: readonly AccessRole[];
  readonly request: AccessRequest;
  readonly now: number;
}

/** The roles that allow it; none: it is not allowed. */
function grantedBy({ labels, roles: held, request: asked, now }: World): readonly string[] {
  const decision = decide(labels, new CompiledRoles(held), asked, now);
  if (decision.allowed !== decision.grantedBy.length > 0)
    throw new Error('allowed by no role, or not by some');
  return decision.grantedBy;
}

/** Runs 10,000 cases, of which enough must be allowed before and refused after for this to say anything. */
function narrows<T>(cases: fc.Arbitrary<T>, before: (each: T) => World, after: (each: T) => World): void {
  let allowed = 0;
  let refused = 0;
  fc.assert(
    fc.property(cases, (each) => {
      const wide = grantedBy(before(each));
      const narrow = grantedBy(after(each));
      if (wide.length > 0) allowed += 1;
      if (wide.length > narrow.length) refused += 1;
      if (narrow.some((name) => !wide.includes(name))) expect(wide).toEqual(narrow);
    }),
    { numRuns: 10_000 },
  );
  expect(allowed).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(50);
}

function without(labels: NodeLabels, keys: readonly string[]): NodeLabels {
  const kept = (set: LabelSet): LabelSet => ({
    ...set,
    labels: new Map([...set.labels].filter(([each]) => !keys.includes(each))),
  });
  return { sets: labels.sets.map(kept) };
}

describe('a decision', () => {
  it('is that of the plain reference', () => {
    let allowed = 0;
    fc.assert(
      fc.property(world, (each) => {
        const expected = referenceDecide(each.labels, each.roles, each.request, each.now);
        const granted = grantedBy(each);
        if (granted.join() !== expected.grantedBy.join()) expect(granted).toEqual(expected.grantedBy);
        if (expected.allowed) allowed += 1;
      }),
      { numRuns: 20_000 },
    );
    expect(allowed).toBeGreaterThan(2000);
  });

  it('is never widened by a deny', () => {
    const cases = fc.record({ world, rule, at: fc.nat(3) });
    narrows(
      cases,
      (each) => each.world,
      ({ world: before, rule: added, at }) => ({
        ...before,
        roles: before.roles.map((held, index) =>
          index === at % before.roles.length ? { ...held, deny: [...held.deny, added] } : held,
        ),
      }),
    );
  });

  it('is never widened by a role that only denies', () => {
    narrows(
      fc.record({ world, deny: fc.array(rule, { maxLength: 3 }) }),
      (each) => each.world,
      ({ world: before, deny }) => ({
        ...before,
        roles: [...before.roles, { name: 'x', description: '', allow: [], deny, maxLabelAgeMs: undefined }],
        request: { ...before.request, roles: [...before.request.roles, 'x'] },
      }),
    );
  });

  it('is never widened by removing labels', () => {
    narrows(
      fc.record({ world, keys: fc.subarray(KEYS, { minLength: 1 }) }),
      (each) => each.world,
      ({ world: before, keys }) => ({ ...before, labels: without(before.labels, keys) }),
    );
  });

  it('is never widened by removing what discovery says, though the node had imported the same tags', () => {
    const discovered = labelSet.map((set): LabelSet => ({ ...set, source: 'discovered' }));
    const imported = labelSet.map((set): LabelSet => ({ ...set, source: 'imported', expiresAt: undefined }));
    const cases = fc.record({ world, discovered, imported, keys: fc.subarray(KEYS, { minLength: 1 }) });
    const labelled = (before: World, ...sets: LabelSet[]): World => ({ ...before, labels: { sets } });
    narrows(
      cases,
      (each) => labelled(each.world, each.imported, each.discovered),
      (each) => labelled(each.world, each.imported, ...without({ sets: [each.discovered] }, each.keys).sets),
    );
  });

  it('is never widened by time alone', () => {
    narrows(
      fc.record({ world, later: fc.integer({ min: 1, max: 20 }) }),
      (each) => each.world,
      ({ world: before, later }) => ({ ...before, now: before.now + later }),
    );
  });

  it('is never better for a label that is unknown than for any value it could have', () => {
    const unknown = fc.constantFrom('missing', 'stale', 'too old');
    narrows(
      fc.record({ world, key, value, unknown }),
      ({ world: before, key: known, value: each }) => withLabel(before, known, each, undefined),
      ({ world: before, key: lost, value: each, unknown: how }) => withLabel(before, lost, each, how),
    );
  });

  /** With a label whose state is this, whatever the other sets say of it. */
  function withLabel(before: World, name: string, text: string, unknown: string | undefined): World {
    const rest = without(before.labels, [name]).sets;
    const aged = before.roles.map((each) => ({ ...each, maxLabelAgeMs: each.maxLabelAgeMs ?? 1000 }));
    const fresh = {
      source: 'own',
      labels: new Map([[name, text]]),
      observedAt: before.now,
      expiresAt: undefined,
    } as const;
    const last: Record<string, LabelSet> = {
      stale: { ...fresh, expiresAt: before.now },
      'too old': { ...fresh, observedAt: before.now - 1000 },
    };
    const set = unknown === undefined ? fresh : last[unknown];
    return { ...before, roles: aged, labels: { sets: set === undefined ? rest : [...rest, set] } };
  }

  it('does not depend on the order of roles, rules, logins, terms, values, labels or names', () => {
    const cases = fc.record({ world, seed: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }) });
    fc.assert(
      fc.property(cases, ({ world: each, seed }) => {
        const shuffle = <T>(list: readonly T[]): T[] =>
          list
            .map((item, index) => ({ item, rank: seed[index % seed.length] ?? 0 }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ item }) => item);
        const rules = (list: readonly AccessRule[]): AccessRule[] =>
          shuffle(list).map(({ logins, nodeLabels: { terms } }) => ({
            logins: shuffle(logins),
            nodeLabels: { terms: shuffle(terms).map((term) => ({ ...term, values: shuffle(term.values) })) },
          }));
        const sets = each.labels.sets.map((set) => ({ ...set, labels: new Map(shuffle([...set.labels])) }));
        const shuffled: World = {
          ...each,
          labels: { sets },
          roles: shuffle(each.roles).map((held) => ({
            ...held,
            allow: rules(held.allow),
            deny: rules(held.deny),
          })),
          request: { ...each.request, roles: shuffle(each.request.roles) },
        };
        const [one, other] = [grantedBy(shuffled), grantedBy(each)];
        if (one.join() !== other.join()) expect(one).toEqual(other);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is the same from verdicts that were kept, whatever was asked before and whichever way time went', () => {
    const asked = fc.record({ node: fc.nat(1), request, now: instant });
    const cases = fc.record({
      roles,
      nodes: fc.tuple(nodeLabels, nodeLabels),
      questions: fc.array(asked, { minLength: 3, maxLength: 6 }),
    });
    fc.assert(
      fc.property(cases, ({ roles: held, nodes, questions }) => {
        const kept = new CompiledRoles(held);
        for (const { node, request: each, now } of questions) {
          const labels = nodes[node] ?? { sets: [] };
          const answer = decide(labels, kept, each, now);
          const fresh = decide(labels, new CompiledRoles(held), each, now);
          // Compared as text: a matcher's comparison of so many objects takes most of the test's time.
          const said = JSON.stringify([answer.grantedBy, answer.reason]);
          if (said !== JSON.stringify([fresh.grantedBy, fresh.reason])) expect(answer).toEqual(fresh);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
