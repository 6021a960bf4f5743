import { EnrolmentState } from '@tagplane/protocol';
import type { DiscoveredInstance } from '@tagplane/protocol';
import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import type { Cell, Colour } from '../format/table.ts';
import { instanceText } from './node-table.ts';
import { instanceView, timeView } from './node.ts';
import type { InstanceView } from './node.ts';
import type { TableOf } from './table-of.ts';
import { textView } from './text-view.ts';

/** A discovered instance as JSON and YAML show it; others script against these names. */
export interface DiscoveredInstanceView {
  readonly aws: InstanceView | null;
  readonly state: EnrolmentStateName;
  /** Why, and what to do; null: nothing to say. */
  readonly reason: string | null;
  /** The nodes that speak for it. */
  readonly server_ids: readonly string[];
  readonly attempts: number;
  /** The SSM command of the last attempt. */
  readonly command_id: string | null;
  readonly next_attempt_at: string | null;
  readonly recorded_at: string | null;
  /** Who wrote its ServerInfo; null: there is none. */
  readonly origin: string | null;
}

/** NONE: enrolment is not set up for it. UNKNOWN: a state that this version does not know. */
export type EnrolmentStateName = keyof typeof STATES | 'UNKNOWN';

const STATES = {
  NONE: EnrolmentState.UNSPECIFIED,
  ENROLLED: EnrolmentState.ENROLLED,
  WAITING: EnrolmentState.WAITING,
  PENDING: EnrolmentState.PENDING,
  FAILED: EnrolmentState.FAILED,
  NO_SSM_AGENT: EnrolmentState.NO_SSM_AGENT,
  NOT_RUNNING: EnrolmentState.NOT_RUNNING,
  UNSUPPORTED: EnrolmentState.UNSUPPORTED,
} as const;

const COLOURS: Readonly<Partial<Record<EnrolmentStateName, Colour>>> = {
  ENROLLED: 'green',
  WAITING: 'yellow',
  PENDING: 'yellow',
  FAILED: 'red',
  NO_SSM_AGENT: 'red',
};

export function discoveredInstanceView(instance: DiscoveredInstance): DiscoveredInstanceView {
  const { enrolment } = instance;
  return {
    aws: enrolment?.instance === undefined ? null : instanceView(enrolment.instance),
    state: stateName(enrolment?.state ?? EnrolmentState.UNSPECIFIED),
    reason: textView(enrolment?.reason),
    server_ids: instance.serverIds,
    attempts: enrolment?.attempts ?? 0,
    command_id: textView(enrolment?.commandId),
    next_attempt_at: timeView(enrolment?.nextAttemptAt),
    recorded_at: timeView(enrolment?.recordedAt),
    origin: textView(instance.origin),
  };
}

/** What a state is called in requests. */
export function enrolmentState(name: Exclude<EnrolmentStateName, 'UNKNOWN'>): EnrolmentState {
  return STATES[name];
}

function stateName(state: EnrolmentState): EnrolmentStateName {
  const names = Object.keys(STATES) as Exclude<EnrolmentStateName, 'UNKNOWN'>[];
  return names.find((name) => STATES[name] === state) ?? 'UNKNOWN';
}

export const discoveredInstanceTable: TableOf<DiscoveredInstanceView> = {
  plural: 'instances',
  columns: [
    { title: 'INSTANCE', priority: 0, shrinkTo: 24 },
    { title: 'STATE', priority: 1 },
    { title: 'NODE', priority: 3, shrinkTo: 12 },
    { title: 'ATTEMPTS', priority: 5 },
    { title: 'NEXT', priority: 6 },
    { title: 'AS OF', priority: 7 },
    { title: 'REASON', priority: 2, shrinkTo: 16 },
  ],
  row: (view, now) => [
    { text: visible(instanceText(view.aws)) },
    stateCell(view.state),
    { text: visible(view.server_ids.join(', ') || '-') },
    { text: view.attempts === 0 ? '-' : String(view.attempts) },
    { text: nextText(view, now) },
    { text: ago(view.recorded_at, now) },
    { text: visible(view.reason ?? '') },
  ],
  details: (view, now) => [
    ['instance', { text: visible(instanceText(view.aws)) }],
    ['state', stateCell(view.state)],
    ['reason', { text: visible(view.reason ?? '-') }],
    ['node', { text: visible(view.server_ids.join(', ') || '-') }],
    ['attempts', { text: String(view.attempts) }],
    ['next', { text: nextText(view, now) }],
  ],
};

/** A turn that has come is taken at the next look. */
function nextText({ next_attempt_at: next }: DiscoveredInstanceView, now: number): string {
  if (next === null) return '-';
  const left = until(next, now);
  return left === 'expired' ? 'now' : left;
}

function stateCell(state: EnrolmentStateName): Cell {
  const colour = COLOURS[state];
  return colour === undefined ? { text: state } : { text: state, colour };
}
