import { describe, expect, it } from '@jest/globals';
import { parseSelector } from '@tagplane/labels';
import { compileRoles } from './compiled-roles.ts';
import { decide } from './decide.ts';
import { decisionDocument, decisionText } from './decision-text.ts';
import { refusal } from './decision.ts';
import type { Decision } from './decision.ts';
import type { LabelSet, NodeLabels } from './node-labels.ts';
import type { AccessRole } from './role.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = 100 * HOUR;

function labels(...sets: readonly (Partial<Omit<LabelSet, 'labels'>> & { of: string })[]): NodeLabels {
  return {
    sets: sets.map(({ of, source = 'discovered', observedAt, expiresAt }) => ({
      source,
      labels: new Map(of.split(' ').map((each) => [each.split('=')[0] ?? '', each.split('=')[1] ?? ''])),
      observedAt,
      expiresAt,
    })),
  };
}

/** `deploy: env=prod`: a rule for a login and a selector. */
function role(
  name: string,
  allow: readonly string[],
  deny: readonly string[] = [],
  age?: number,
): AccessRole {
  const rule = (text: string): AccessRole['allow'][number] => {
    const [logins = '', selector = ''] = text.split(': ');
    return { logins: logins.split(' '), nodeLabels: parseSelector(selector) };
  };
  return { name, description: '', allow: allow.map(rule), deny: deny.map(rule), maxLabelAgeMs: age };
}

interface Asked {
  readonly login?: string;
  readonly roles?: readonly string[];
  readonly traits?: Readonly<Record<string, readonly string[]>>;
  readonly now?: number;
}

function ask(node: NodeLabels, roles: readonly AccessRole[], asked: Asked = {}): Decision {
  const { login = 'deploy', traits = {}, now = NOW } = asked;
  const held = asked.roles ?? roles.map(({ name }) => name);
  const request = { login, roles: held, traits: new Map(Object.entries(traits)) };
  return decide(node, compileRoles(roles), request, now);
}

const PROD = labels({ of: 'aws/env=prod' });
const DEV = role('dev', ['deploy: aws/env=prod']);

describe('freshness', () => {
  it.each<[string, Partial<LabelSet>, number | undefined, boolean]>([
    ['stated, with no end', {}, undefined, true],
    ['stated, with no end, for a role that wants it young', {}, 1, true],
    ['that ends in a millisecond', { expiresAt: NOW + 1 }, undefined, true],
    ['that ends now', { expiresAt: NOW }, undefined, false],
    ['that has ended', { expiresAt: NOW - HOUR }, undefined, false],
    ['that is old, for a role that does not mind', { observedAt: NOW - 1000 * HOUR }, undefined, true],
    ['a millisecond younger than it may be', { observedAt: NOW - HOUR + 1 }, HOUR, true],
    ['as old as it may not be', { observedAt: NOW - HOUR }, HOUR, false],
    ['of the future', { observedAt: NOW + HOUR }, MINUTE, true],
    ['young, that has ended', { observedAt: NOW, expiresAt: NOW }, HOUR, false],
  ])('of a label %s', (_, set, age, counts) => {
    const node = labels({ of: 'aws/env=prod', ...set });
    expect(ask(node, [role('dev', ['deploy: aws/env=prod'], [], age)]).allowed).toBe(counts);
    // A deny is lifted by the same label or not at all.
    const denied = role('dev', ['deploy: *=*'], ['deploy: aws/env=dev'], age);
    expect(ask(node, [denied]).allowed).toBe(counts);
  });

  it('is each role’s own', () => {
    const node = labels({ of: 'aws/env=prod', observedAt: NOW - HOUR });
    const roles = [
      role('a', ['deploy: aws/env=prod'], [], MINUTE),
      role('b', ['deploy: aws/env=prod'], [], 2 * HOUR),
    ];
    expect(ask(node, roles).grantedBy).toEqual(['b']);
  });

  it('of verdicts that are kept ends exactly when that of the label does, and comes back with the clock', () => {
    const roles = compileRoles([role('dev', ['deploy: aws/env=prod'], [], 10)]);
    const node = labels(
      { of: 'aws/env=prod', observedAt: 100, expiresAt: 105 },
      { of: 'x=y', expiresAt: 103 },
    );
    const request = { login: 'deploy', roles: ['dev'], traits: new Map<string, string[]>() };
    const times = [100, 104, 105, 104, 120, 99, 105, 0];
    expect(times.map((now) => decide(node, roles, request, now).allowed)).toEqual(
      times.map((now) => now < 105),
    );
  });
});

describe('labels of several sets', () => {
  it.each<[string, NodeLabels, boolean]>([
    ['the later one counts', labels({ of: 'aws/env=dev' }, { of: 'aws/env=prod' }), true],
    ['also when it says no', labels({ of: 'aws/env=prod' }, { of: 'aws/env=dev' }), false],
    ['also when it is stale', labels({ of: 'aws/env=prod' }, { of: 'aws/env=prod', expiresAt: 0 }), false],
    ['imported ones count alone', labels({ of: 'aws/env=prod', source: 'imported' }), true],
    [
      'but not beside discovered ones',
      labels({ of: 'aws/env=prod', source: 'imported' }, { of: 'aws/team=a' }),
      false,
    ],
    ['nor after them', labels({ of: 'aws/team=a' }, { of: 'aws/env=prod', source: 'imported' }), false],
  ])('%s', (_, node, allowed) => {
    expect(ask(node, [DEV]).allowed).toBe(allowed);
  });
});

describe('logins', () => {
  const who = (logins: string, asked: Asked): boolean =>
    ask(PROD, [role('dev', [`${logins}: *=*`])], asked).allowed;
  const team = { team: ['web', 'db'], odd: ['*', ''] };

  it.each<[string, string, boolean]>([
    ['deploy', 'deploy', true],
    ['deploy', 'Deploy', false],
    ['a deploy', 'deploy', true],
    ['*', 'anybody', true],
    ['*', '', false],
    ['deploy', '', false],
    ['{{traits.team}}', 'web', true],
    ['{{traits.team}}', 'ops', false],
    ['dev-{{traits.team}}-x', 'dev-db-x', true],
    ['dev-{{traits.team}}-x', 'dev-db', false],
    ['dev-{{traits.team}}', 'dev-', false],
    ['{{traits.none}}', 'web', false],
    ['{{traits.none}}', '', false],
    ['{{traits.odd}}', 'anybody', false],
    ['{{traits.odd}}', '*', true],
    ['{{traits.odd}}', '', false],
    ['a-{{traits.odd}}', 'a-', true],
    ['{{traits.constructor}}', 'web', false],
  ])('%s, by somebody who wants to be %j: %j', (logins, login, allowed) => {
    expect(who(logins, { login, traits: team })).toBe(allowed);
  });

  it('of a deny with a template keep out those who have the trait, and nobody else', () => {
    const roles = [role('dev', ['*: *=*'], ['{{traits.team}}: *=*'])];
    expect(ask(PROD, roles, { login: 'web', traits: team }).allowed).toBe(false);
    expect(ask(PROD, roles, { login: 'web' }).allowed).toBe(true);
  });

  it('are asked with the traits of each request, also when these are written to in between', () => {
    const roles = compileRoles([role('dev', ['{{traits.team}}: *=*'])]);
    const traits = new Map([['team', ['web']]]);
    const request = { login: 'web', roles: ['dev'], traits };
    expect(decide(PROD, roles, request, NOW).allowed).toBe(true);
    traits.delete('team');
    expect(decide(PROD, roles, request, NOW).allowed).toBe(false);
  });

  it('of more users than verdicts are kept for are answered all the same', () => {
    const roles = compileRoles([role('dev', ['u7 u150: *=*'])]);
    const allowed = Array.from({ length: 300 }, (_, index) => `u${index % 151}`).filter(
      (login) => decide(PROD, roles, { login, roles: ['dev'], traits: new Map() }, NOW).allowed,
    );
    expect(allowed).toEqual(['u7', 'u150', 'u7']);
  });
});

describe('the reason', () => {
  const RELEASE = role(
    'release',
    ['deploy: aws/env=prod, aws/team=[web, db-*]'],
    ['deploy: aws/hold=yes'],
    2 * HOUR,
  );
  const observed = { observedAt: NOW - 90 * SECOND, expiresAt: NOW + 25 * HOUR };

  it.each<[string, Decision, string[]]>([
    ['names role, rule, labels and freshness', ask(labels({ of: 'aws/env=prod aws/team=db-1 aws/hold=no', ...observed }), [RELEASE]), [
      'allowed by release',
      'role release, allow rule 1 allows: aws/env is "prod" (wanted: "prod"; discovered, observed 1m30s ago, counts 1h58m more); aws/team is "db-1" (wanted: "web" or "db-*"; discovered, observed 1m30s ago, counts 1h58m more)',
    ]],
    ['names the deny that is true', ask(labels({ of: 'aws/env=prod aws/team=web aws/hold=yes', source: 'assigned' }), [RELEASE]), [
      'denied by release',
      'role release, deny rule 1 denies: aws/hold is "yes" (wanted: "yes"; assigned)',
    ]],
    ['names the deny that nothing lifts', ask(labels({ of: 'aws/env=prod', ...observed }), [RELEASE]), [
      'denied by release',
      'role release, deny rule 1 denies, for nothing known lifts it: aws/hold is missing (wanted: "yes")',
    ]],
    ['tells too old from stale', ask(labels({ of: 'aws/hold=no', observedAt: NOW - 3 * HOUR }), [RELEASE]), [
      'denied by release',
      'role release, deny rule 1 denies, for nothing known lifts it: aws/hold is unknown: too old for the role, last "no" (wanted: "yes"; discovered, observed 3h ago, stopped counting 1h ago)',
    ]],
    ['tells stale from too old', ask(labels({ of: 'aws/env=prod', observedAt: NOW - 3 * HOUR, expiresAt: NOW - 50 * HOUR }), [role('a', ['deploy: aws/env=prod'])]), [
      'denied: no role allows it',
      'role a, allow rule 1 does not allow: aws/env is unknown: stale, last "prod" (wanted: "prod"; discovered, observed 3h ago, stopped counting 2d2h ago)',
    ]],
    ['names every role held that did not allow', ask(PROD, [role('a', ['root: *=*']), role('b', ['deploy: aws/env=dev'])], { roles: ['c', 'b', 'a', 'b'] }), [
      'denied: no role allows it',
      'role a: no allow rule is for this login',
      'role b, allow rule 1 does not allow: aws/env is "prod" (wanted: "dev"; discovered)',
      'role c: there is none of this name',
    ]],
    ['of a rule for every node', ask(PROD, [role('a', ['deploy: *=*'])]), ['allowed by a', 'role a, allow rule 1 allows: it is for every node']],
    ['of nobody’s roles', ask(PROD, [DEV], { roles: [] }), ['denied: the user holds no roles']],
    ['of no login', ask(PROD, [DEV], { login: '' }), ['denied: the login is empty']],
    ['of nothing to decide by', refusal('no roles held'), ['denied: no roles held']],
  ])('%s', (_, decision, lines) => {
    expect(decisionText(decision).split('\n')).toEqual(lines);
  }); // prettier-ignore

  it('as a document says the same', () => {
    const decision = ask(labels({ of: 'aws/env=prod', ...observed }), [RELEASE, DEV]);
    expect(decisionDocument(decision)).toEqual({
      allowed: false,
      granted_by: [],
      reason: 'denied',
      detail: 'denied by release',
      facts: [
        {
          role: 'release',
          outcome: 'denies',
          effect: 'deny',
          rule: 1,
          truth: 'unknown',
          labels: [{ key: 'aws/hold', wanted: ['yes'], state: 'missing' }],
          text: decisionText(decision).split('\n')[1],
        },
      ],
      facts_omitted: 0,
    });
    const [fact] = decisionDocument(ask(labels({ of: 'aws/env=prod', ...observed }), [DEV])).facts;
    expect(fact?.labels).toEqual([
      { key: 'aws/env', wanted: ['prod'], state: 'known', value: 'prod', source: 'discovered', age_ms: 90_000, remaining_ms: 90_000_000 },
    ]); // prettier-ignore
    expect(decisionDocument(refusal('no roles held'))).toMatchObject({
      allowed: false,
      reason: 'unavailable',
    });
  });

  it('stops at a hundred facts', () => {
    const roles = Array.from({ length: 130 }, (_, index) => role(`r${index}`, ['deploy: aws/env=dev']));
    const { reason } = ask(PROD, roles);
    expect([reason.facts.length, reason.omitted]).toEqual([100, 30]);
    expect(decisionText(ask(PROD, roles)).split('\n').at(-1)).toBe('and 30 more');
  });

  it('keeps a label on its line, whatever is in it', () => {
    const node = {
      sets: [
        {
          ...PROD.sets[0],
          source: 'own',
          labels: new Map([['a b', '\n"']]),
          observedAt: undefined,
          expiresAt: undefined,
        },
      ],
    } as const;
    const nodeLabels = { terms: [{ key: 'a b', values: ['\n"'] }] };
    const roles = [{ ...DEV, allow: [{ logins: ['deploy'], nodeLabels }] }];
    expect(decisionText(ask(node, roles)).split('\n')[1]).toBe(
      'role dev, allow rule 1 allows: "a b" is "\\n\\"" (wanted: "\\n\\""; own)',
    );
  });
});
