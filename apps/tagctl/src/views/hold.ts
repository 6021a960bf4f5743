import { HoldState } from '@tagplane/protocol';
import type { Hold } from '@tagplane/protocol';
import { ago } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import type { Cell, Colour } from '../format/table.ts';
import { timeView } from './node.ts';
import type { TableOf } from './table-of.ts';

/** A change that the guard held, as JSON and YAML show it; others script against these names. */
export interface HoldView {
  /** What `guard release` and `guard drop` take. */
  readonly id: string;
  /** `aws/ACCOUNT/REGION`, or `dynamic/`. */
  readonly scope: string;
  readonly state: HoldStateName;
  readonly description: string;
  readonly nodes_changed: number;
  readonly nodes_total: number;
  /** Changed before within the window; these count too. */
  readonly nodes_changed_before: number;
  readonly samples: readonly string[];
  readonly requested_by: string;
  /** RFC 3339, UTC. */
  readonly held_at: string | null;
  /** Null: nobody yet. */
  readonly decided_by: string | null;
  readonly decided_at: string | null;
}

/** UNKNOWN: a state that this version does not know. */
export type HoldStateName = 'HELD' | 'RELEASED' | 'DROPPED' | 'UNKNOWN';

const COLOURS: Readonly<Record<HoldStateName, Colour>> = {
  HELD: 'yellow',
  RELEASED: 'green',
  DROPPED: 'red',
  UNKNOWN: 'dim',
};

export function holdView(hold: Hold): HoldView {
  return {
    id: hold.id,
    scope: hold.scope,
    state: stateName(hold.state),
    description: hold.description,
    nodes_changed: hold.nodesChanged,
    nodes_total: hold.nodesTotal,
    nodes_changed_before: hold.nodesChangedBefore,
    samples: hold.samples,
    requested_by: hold.requestedBy,
    held_at: timeView(hold.heldAt),
    decided_by: hold.decidedBy === '' ? null : hold.decidedBy,
    decided_at: timeView(hold.decidedAt),
  };
}

function stateName(state: HoldState): HoldStateName {
  switch (state) {
    case HoldState.HELD:
      return 'HELD';
    case HoldState.RELEASED:
      return 'RELEASED';
    case HoldState.DROPPED:
      return 'DROPPED';
    default:
      return 'UNKNOWN';
  }
}

export const holdTable: TableOf<HoldView> = {
  plural: 'holds',
  columns: [
    { title: 'ID', priority: 0 },
    { title: 'STATE', priority: 1 },
    { title: 'SCOPE', priority: 2, shrinkTo: 12 },
    { title: 'NODES', priority: 3 },
    { title: 'HELD', priority: 4 },
    { title: 'ASKED BY', priority: 6, shrinkTo: 16 },
    { title: 'DECIDED BY', priority: 7, shrinkTo: 16 },
    { title: 'WHAT', priority: 5, shrinkTo: 16 },
  ],
  row: (hold, now) => [
    { text: visible(hold.id) },
    stateCell(hold.state),
    { text: visible(hold.scope) },
    { text: nodesText(hold) },
    { text: ago(hold.held_at, now) },
    { text: visible(hold.requested_by) },
    { text: visible(hold.decided_by ?? '-') },
    { text: visible(hold.description) },
  ],
  details: (hold, now) => [
    ['id', { text: visible(hold.id) }],
    ['state', stateCell(hold.state)],
    ['scope', { text: visible(hold.scope) }],
    ['what', { text: visible(hold.description) }],
    ['nodes', { text: nodesText(hold) }],
    ['asked by', { text: visible(hold.requested_by) }],
    ['held', { text: ago(hold.held_at, now) }],
    ['decided by', { text: visible(hold.decided_by ?? '-') }],
    ['such as', { text: visible(hold.samples.join(', ')) || '-' }],
  ],
};

function stateCell(state: HoldStateName): Cell {
  return { text: state, colour: COLOURS[state] };
}

/** `30 of 100`, and what went before. */
function nodesText({
  nodes_changed: changed,
  nodes_total: total,
  nodes_changed_before: before,
}: HoldView): string {
  return `${changed} of ${total}${before > 0 ? `, ${before} before` : ''}`;
}
