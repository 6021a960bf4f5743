import type { Decision, LabelFact, RuleFact } from './decision.ts';

/** A decision as a JSON document: what the node and the auth service both print. Ages are in milliseconds. */
export interface DecisionDocument {
  readonly allowed: boolean;
  readonly granted_by: readonly string[];
  readonly reason: Decision['reason']['cause'];
  readonly detail: string;
  readonly facts: readonly FactDocument[];
  readonly facts_omitted: number;
}

export interface FactDocument {
  readonly role: string;
  readonly outcome: RuleFact['outcome'];
  readonly effect?: 'allow' | 'deny';
  readonly rule?: number;
  readonly truth?: string;
  readonly labels: readonly LabelDocument[];
  /** The same for a person. */
  readonly text: string;
}

export interface LabelDocument {
  readonly key: string;
  readonly wanted: readonly string[];
  readonly state: LabelFact['state'];
  readonly value?: string;
  readonly source?: string;
  readonly age_ms?: number;
  readonly remaining_ms?: number;
}

export function decisionDocument({ allowed, grantedBy, reason }: Decision): DecisionDocument {
  return {
    allowed,
    granted_by: grantedBy,
    reason: reason.cause,
    detail: reason.detail,
    facts: reason.facts.map(factDocument),
    facts_omitted: reason.omitted,
  };
}

/** The decision in words: a line that says it, then one for each fact. No line break at the end. */
export function decisionText({ allowed, reason }: Decision): string {
  const { detail, facts, omitted } = reason;
  const head = allowed || reason.cause === 'denied' ? detail : `denied: ${detail}`;
  const more = omitted === 0 ? [] : [`and ${omitted} more`];
  return [head, ...facts.map(factText), ...more].join('\n');
}

function factDocument(fact: RuleFact): FactDocument {
  return {
    role: fact.role,
    outcome: fact.outcome,
    ...(fact.effect !== undefined && { effect: fact.effect }),
    ...(fact.rule !== undefined && { rule: fact.rule }),
    ...(fact.truth !== undefined && { truth: fact.truth }),
    labels: fact.labels.map(labelDocument),
    text: factText(fact),
  };
}

function labelDocument({ key, wanted, state, value, source, ageMs, remainingMs }: LabelFact): LabelDocument {
  return {
    key,
    wanted,
    state,
    ...(value !== undefined && { value }),
    ...(source !== undefined && { source }),
    ...(ageMs !== undefined && { age_ms: ageMs }),
    ...(remainingMs !== undefined && { remaining_ms: remainingMs }),
  };
}

function factText({ role, outcome, effect, rule, truth, labels }: RuleFact): string {
  if (outcome === 'no-role') return `role ${role}: there is none of this name`;
  if (outcome === 'no-rule') return `role ${role}: no allow rule is for this login`;
  const which = `role ${role}, ${effect ?? ''} rule ${rule ?? 0}`;
  const found = labels.length === 0 ? 'it is for every node' : labels.map(labelText).join('; ');
  if (outcome === 'grants') return `${which} allows: ${found}`;
  if (outcome === 'does-not-grant') return `${which} does not allow: ${found}`;
  return truth === 'true'
    ? `${which} denies: ${found}`
    : `${which} denies, for nothing known lifts it: ${found}`;
}

function labelText({ key, wanted, state, value, source, ageMs, remainingMs }: LabelFact): string {
  const name = /[\s;:"]/.test(key) ? JSON.stringify(key) : key;
  const patterns = `wanted: ${wanted.map((each) => JSON.stringify(each)).join(' or ')}`;
  if (state === 'missing') return `${name} is missing (${patterns})`;
  const times = [
    source,
    ageMs === undefined ? undefined : `observed ${span(ageMs)} ago`,
    remainingMs === undefined ? undefined : endText(state, remainingMs),
  ].filter((part) => part !== undefined);
  const worth = {
    known: 'is',
    stale: 'is unknown: stale, last',
    'too-old': 'is unknown: too old for the role, last',
  };
  return `${name} ${worth[state]} ${JSON.stringify(value)} (${patterns}; ${times.join(', ')})`;
}

function endText(state: LabelFact['state'], remainingMs: number): string {
  return state === 'known'
    ? `counts ${span(remainingMs)} more`
    : `stopped counting ${span(-remainingMs)} ago`;
}

/** The two largest units: `1h16m`, `4m10s`, `12s`. Below a second: `0s`. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}
