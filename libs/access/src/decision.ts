import type { Truth } from '@tagplane/labels';
import type { LabelSource } from './node-labels.ts';

/** Whether a label counts, and why not: for a role, which may want it young. */
export type LabelState = 'known' | 'missing' | 'stale' | 'too-old';

/** What a rule found of a label. */
export interface LabelFact {
  readonly key: string;
  /** The patterns that the rule has for it. */
  readonly wanted: readonly string[];
  readonly state: LabelState;
  /** The rest is undefined when it is missing. */
  readonly value: string | undefined;
  readonly source: LabelSource | undefined;
  /** Since it was observed; undefined: it does not age. */
  readonly ageMs: number | undefined;
  /** Until it stops counting for this role, negative when that is over; undefined: it does not end. */
  readonly remainingMs: number | undefined;
}

/** What one rule, or the want of one, had to do with a decision. */
export interface RuleFact {
  readonly role: string;
  /** `no-rule`: the role allows nothing for this login. `no-role`: there is no role of this name. */
  readonly outcome: 'grants' | 'denies' | 'does-not-grant' | 'no-rule' | 'no-role';
  /** Which list, and the place in it from 1; undefined for `no-rule` and `no-role`. */
  readonly effect: 'allow' | 'deny' | undefined;
  readonly rule: number | undefined;
  /** What its selector is. */
  readonly truth: Truth | undefined;
  /** When it is true, all its labels; else the first that makes it so. */
  readonly labels: readonly LabelFact[];
}

export type DecisionCause = 'granted' | 'denied' | 'not-granted' | 'no-roles' | 'no-login' | 'unavailable';

export interface DecisionReason {
  readonly cause: DecisionCause;
  /** One line for a person. */
  readonly detail: string;
  /** In the order of roles' names and their rules. */
  readonly facts: readonly RuleFact[];
  /** How many more there are. */
  readonly omitted: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** Those of the roles held that allow it, ordered by name; empty when it is not allowed. */
  readonly grantedBy: readonly string[];
  readonly reason: DecisionReason;
}

/** Not allowed, for there is nothing to decide by; `detail` says what is missing, on one line. */
export function refusal(detail: string): Decision {
  return { allowed: false, grantedBy: [], reason: { cause: 'unavailable', detail, facts: [], omitted: 0 } };
}
