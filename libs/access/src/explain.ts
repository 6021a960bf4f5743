import type { SelectorTerm } from '@tagplane/labels';
import type { CompiledRole, CompiledRoles, CompiledRule } from './compiled-roles.ts';
import type { AccessRequest } from './decide.ts';
import type { DecisionReason, LabelFact, LabelState, RuleFact } from './decision.ts';
import { standsFor } from './login.ts';
import type { NodeLabels } from './node-labels.ts';
import { countsUntil } from './node-labels.ts';
import type { NodeVerdicts } from './verdicts.ts';

/** More facts help nobody. */
export const MAX_FACTS = 100;

/** All that a decision was made of. */
export interface Asked {
  readonly labels: NodeLabels;
  readonly roles: CompiledRoles;
  readonly request: AccessRequest;
  readonly now: number;
}

export function explainGranted(asked: Asked): DecisionReason {
  const facts = held(asked).flatMap((role) => {
    if (typeof role === 'string') return [];
    const rule = rulesFor(asked, role.allow).find((each) => truthOf(asked, role, each) === 'true');
    return rule === undefined ? [] : [ruleFact(asked, role, rule, 'grants')];
  });
  return reason('granted', `allowed by ${facts.map(({ role }) => role).join(', ')}`, facts);
}

export function explainDenied(asked: Asked): DecisionReason {
  if (asked.request.login === '') return reason('no-login', 'the login is empty', []);
  const facts = held(asked).flatMap((role) =>
    typeof role === 'string'
      ? []
      : rulesFor(asked, role.deny)
          .filter((rule) => truthOf(asked, role, rule) !== 'false')
          .map((rule) => ruleFact(asked, role, rule, 'denies')),
  );
  return reason('denied', `denied by ${[...new Set(facts.map(({ role }) => role))].join(', ')}`, facts);
}

export function explainNotGranted(asked: Asked): DecisionReason {
  if (asked.request.roles.length === 0) return reason('no-roles', 'the user holds no roles', []);
  const facts = held(asked).flatMap((role): RuleFact[] => {
    if (typeof role === 'string') return [bareFact(role, 'no-role')];
    const rules = rulesFor(asked, role.allow);
    if (rules.length === 0) return [bareFact(role.role.name, 'no-rule')];
    return rules.map((rule) => ruleFact(asked, role, rule, 'does-not-grant'));
  });
  return reason('not-granted', 'no role allows it', facts);
}

function reason(cause: DecisionReason['cause'], detail: string, facts: readonly RuleFact[]): DecisionReason {
  return {
    cause,
    detail,
    facts: facts.slice(0, MAX_FACTS),
    omitted: Math.max(0, facts.length - MAX_FACTS),
  };
}

/** The roles held, each once, ordered by name; the name of one that is not there. */
function held({ roles, request }: Asked): (CompiledRole | string)[] {
  return [...new Set(request.roles)].sort().map((name) => {
    const index = roles.indexOf(name);
    return (index === undefined ? undefined : roles.list[index]) ?? name;
  });
}

function rulesFor({ request }: Asked, rules: readonly CompiledRule[]): CompiledRule[] {
  return rules.filter(({ logins }) => standsFor(logins, request.login, request.traits));
}

function truthOf(asked: Asked, role: CompiledRole, rule: CompiledRule): RuleFact['truth'] {
  return verdictsOf(asked).test(role, rule, asked.now).truth;
}

function verdictsOf({ roles, labels }: Asked): NodeVerdicts {
  return roles.verdictsOn(labels);
}

function bareFact(role: string, outcome: RuleFact['outcome']): RuleFact {
  return { role, outcome, effect: undefined, rule: undefined, truth: undefined, labels: [] };
}

function ruleFact(
  asked: Asked,
  role: CompiledRole,
  rule: CompiledRule,
  outcome: RuleFact['outcome'],
): RuleFact {
  const { truth, term } = verdictsOf(asked).test(role, rule, asked.now);
  const terms = term === undefined ? rule.selector.selector.terms.filter(({ key }) => key !== '*') : [term];
  return {
    role: role.role.name,
    outcome,
    effect: outcome === 'denies' ? 'deny' : 'allow',
    rule: rule.number,
    truth,
    labels: terms.map((each) => labelFact(asked, role, each)),
  };
}

function labelFact(asked: Asked, { maxAgeMs }: CompiledRole, { key, values }: SelectorTerm): LabelFact {
  const label = verdictsOf(asked).label(key);
  if (label === undefined) {
    const nothing = { value: undefined, source: undefined, ageMs: undefined, remainingMs: undefined };
    return { key, wanted: values, state: 'missing', ...nothing };
  }
  const { value, set } = label;
  const { now } = asked;
  const until = countsUntil(set, maxAgeMs);
  const stale = set.expiresAt !== undefined && now >= set.expiresAt;
  const state: LabelState = stale ? 'stale' : now >= until ? 'too-old' : 'known';
  return {
    key,
    wanted: values,
    state,
    value,
    source: set.source,
    ageMs: set.observedAt === undefined ? undefined : now - set.observedAt,
    remainingMs: until === Infinity ? undefined : until - now,
  };
}
