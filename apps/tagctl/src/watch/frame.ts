import { visible } from '../format/escape.ts';
import type { TableStyle } from '../format/table.ts';
import { shorten, tableLines } from '../format/table.ts';
import type { TerminalSize } from '../io.ts';
import { nodeTable } from '../views/node-table.ts';
import type { NodeView, SyncStateName } from '../views/node.ts';
import type { NodeTracker, Phase } from './tracker.ts';

const STATES: readonly SyncStateName[] = ['SYNCED', 'PENDING', 'STALE', 'UNMATCHED', 'UNKNOWN'];
/** Lines above and below the rows: summary, phase, titles, rest. */
const OTHER_LINES = 4;

/**
 * The lines of one picture: no more than the terminal has, none wider than it.
 *
 * @param now Unix milliseconds
 */
export function frameLines(
  tracker: Pick<NodeTracker, 'nodes' | 'connected' | 'states' | 'phase'>,
  view: {
    readonly size: TerminalSize;
    readonly colour: boolean;
    readonly addressText: string;
    readonly now: number;
  },
): string[] {
  // The last column stays free: a terminal that has just filled it may erase it or go on.
  const style: TableStyle = { width: Math.max(1, view.size.columns - 1), colour: view.colour };
  const shown = firstNodes(tracker.nodes, Math.max(0, view.size.rows - OTHER_LINES));
  const rest = tracker.nodes.size - shown.length;
  const counts = STATES.flatMap((state) => {
    const count = tracker.states.get(state) ?? 0;
    return count === 0 ? [] : [`${state} ${count}`];
  });
  const summary = [
    `${tracker.nodes.size} ${tracker.nodes.size === 1 ? 'node' : 'nodes'} at ${view.addressText}`,
    `${tracker.connected} connected`,
    ...counts,
  ];
  return [
    shorten(summary.join(', '), style.width ?? 0),
    shorten(phaseText(tracker.phase), style.width ?? 0),
    ...tableLines(nodeTable.columns, shown.map((node) => nodeTable.row(node, view.now)), style), // prettier-ignore
    ...(rest > 0 ? [shorten(`… and ${rest} more; 'tagctl nodes ls' lists all`, style.width ?? 0)] : []),
  ].slice(0, view.size.rows);
}

function phaseText(phase: Phase): string {
  switch (phase.kind) {
    case 'listing':
      return 'reading the list …';
    case 'live':
      return '';
    case 'lost':
      return `connection lost: ${visible(phase.reason)}; trying again …`;
  }
}

/** The first of them by server id. */
function firstNodes(nodes: ReadonlyMap<string, NodeView>, count: number): NodeView[] {
  return [...nodes.keys()]
    .sort()
    .slice(0, count)
    .flatMap((id) => nodes.get(id) ?? []);
}
