import { ScopeState, optionalDurationMs } from '@tagplane/protocol';
import type { ReportedScope } from '@tagplane/protocol';
import { ago } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import type { Cell, Colour } from '../format/table.ts';
import { timeView } from './node.ts';
import type { TableOf } from './table-of.ts';
import { textView } from './text-view.ts';

/** A scope of a discovery as JSON and YAML show it; others script against these names. */
export interface ScopeView {
  readonly group: string;
  readonly id: string;
  /** Null while unknown. */
  readonly account_id: string | null;
  readonly region: string | null;
  readonly state: ScopeStateName;
  /** What failed, and how to mend it; null unless FAILING. */
  readonly problem: string | null;
  /** Of the last complete scan. */
  readonly instances: number;
  readonly rejected_tags: number;
  readonly rejected_instances: number;
  readonly last_complete_at: string | null;
  /** Since its discovery started. */
  readonly requests: number;
  readonly throttles: number;
  /** Of EC2's request rate there, over a minute: 0 to 1. */
  readonly quota_used: number;
  readonly behind_seconds: number;
  /** Null: none arrived, or events are not set up. */
  readonly last_event_at: string | null;
  readonly reported_at: string | null;
}

/** UNKNOWN: a state that this version does not know. */
export type ScopeStateName = 'PENDING' | 'OK' | 'FAILING' | 'UNKNOWN';

const COLOURS: Readonly<Record<ScopeStateName, Colour>> = {
  PENDING: 'yellow',
  OK: 'green',
  FAILING: 'red',
  UNKNOWN: 'dim',
};

export function scopeView({ group, report, reportedAt }: ReportedScope): ScopeView {
  return {
    group,
    id: report?.id ?? '',
    account_id: textView(report?.accountId),
    region: textView(report?.region),
    state: stateName(report?.state),
    problem: textView(report?.problem),
    instances: report?.instances ?? 0,
    rejected_tags: report?.rejectedTags ?? 0,
    rejected_instances: report?.rejectedInstances ?? 0,
    last_complete_at: timeView(report?.lastCompleteAt),
    requests: Number(report?.requests ?? 0n),
    throttles: Number(report?.throttles ?? 0n),
    quota_used: report?.quotaUsed ?? 0,
    behind_seconds: (optionalDurationMs(report?.behind) ?? 0) / 1_000,
    last_event_at: timeView(report?.lastEventAt),
    reported_at: timeView(reportedAt),
  };
}

function stateName(state: ScopeState | undefined): ScopeStateName {
  switch (state) {
    case ScopeState.PENDING:
      return 'PENDING';
    case ScopeState.OK:
      return 'OK';
    case ScopeState.FAILING:
      return 'FAILING';
    default:
      return 'UNKNOWN';
  }
}

export const scopeTable: TableOf<ScopeView> = {
  plural: 'scopes',
  columns: [
    { title: 'SCOPE', priority: 0, shrinkTo: 16 },
    { title: 'STATE', priority: 1 },
    { title: 'INSTANCES', priority: 2 },
    { title: 'LAST COMPLETE', priority: 4 },
    { title: 'QUOTA', priority: 6 },
    { title: 'LAST EVENT', priority: 7 },
    { title: 'REJECTED', priority: 5 },
    { title: 'GROUP', priority: 8, shrinkTo: 8 },
    { title: 'PROBLEM', priority: 3, shrinkTo: 16 },
  ],
  row: (scope, now) => [
    { text: visible(scope.id) },
    stateCell(scope.state),
    { text: String(scope.instances) },
    { text: ago(scope.last_complete_at, now) },
    { text: quotaText(scope) },
    { text: ago(scope.last_event_at, now) },
    { text: rejectedText(scope) },
    { text: visible(scope.group) },
    { text: visible(scope.problem ?? '') },
  ],
  details: (scope, now) => [
    ['scope', { text: visible(scope.id) }],
    ['group', { text: visible(scope.group) }],
    ['state', stateCell(scope.state)],
    ['problem', { text: visible(scope.problem ?? '-') }],
    ['instances', { text: String(scope.instances) }],
    ['last complete', { text: ago(scope.last_complete_at, now) }],
    ['rejected', { text: rejectedText(scope) }],
    ['quota used', { text: quotaText(scope) }],
  ],
};

function stateCell(state: ScopeStateName): Cell {
  return { text: state, colour: COLOURS[state] };
}

function quotaText({ quota_used: share }: ScopeView): string {
  return `${Math.round(share * 100)}%`;
}

/** `3 tags, 1 instance`, or nothing. */
function rejectedText({ rejected_tags: tags, rejected_instances: instances }: ScopeView): string {
  const parts = [
    tags === 0 ? '' : `${tags} ${tags === 1 ? 'tag' : 'tags'}`,
    instances === 0 ? '' : `${instances} ${instances === 1 ? 'instance' : 'instances'}`,
  ];
  return parts.filter((part) => part !== '').join(', ') || '-';
}
