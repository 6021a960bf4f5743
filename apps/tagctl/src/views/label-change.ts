import type { Labels } from '@tagplane/labels';
import { sortedEntries } from '@tagplane/labels';
import { labelsFromMessage } from '@tagplane/protocol';
import type { NodeLabelChange, PreviewTotals } from '@tagplane/protocol';
import { visible } from '../format/escape.ts';
import { keyText, valueText } from '../format/labels-text.ts';

/** What would change on one node, as JSON and YAML show it; others script against these names. */
export interface LabelChangeView {
  readonly server_id: string;
  readonly hostname: string;
  /** Labels it would get. */
  readonly gained: Labels;
  /** Labels it would lose, with their values now. */
  readonly lost: Labels;
  /** Labels that would have this other value. */
  readonly changed: Labels;
}

export interface PreviewTotalsView {
  /** Looked at. */
  readonly nodes: number;
  readonly changed: number;
  readonly would_hold: boolean;
}

export function labelChangeView(change: NodeLabelChange): LabelChangeView {
  return {
    server_id: change.serverId,
    hostname: change.hostname,
    gained: labelsFromMessage(change.gained),
    lost: labelsFromMessage(change.lost),
    changed: labelsFromMessage(change.changed),
  };
}

export function totalsView({ nodes, changed, wouldHold }: PreviewTotals): PreviewTotalsView {
  return { nodes, changed, would_hold: wouldHold };
}

/** `web-1 (ip-10-0-0-1)  +dynamic/a=b  ~dynamic/c=d  -dynamic/e=f`. */
export function labelChangeLine({ server_id: id, hostname, gained, lost, changed }: LabelChangeView): string {
  const name = hostname === '' ? visible(id) : `${visible(id)} (${visible(hostname)})`;
  return [name, ...marked('+', gained), ...marked('~', changed), ...marked('-', lost)].join('  ');
}

function marked(mark: string, labels: Labels): string[] {
  return sortedEntries(labels).map(([key, value]) => `${mark}${keyText(key)}=${valueText(value)}`);
}

/** `3 of 120 nodes would change`, and whether the guard would hold it. */
export function totalsText({ nodes, changed, would_hold: hold }: PreviewTotalsView): string {
  const guard = hold ? '; the guard would hold it, until an operator releases it' : '';
  return `${changed} of ${nodes} nodes would change${guard}`;
}
