import { ago } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { labelsText } from '../format/labels-text.ts';
import type { Cell, Colour } from '../format/table.ts';
import { labelDetails } from './label-details.ts';
import type { InstanceView, NodeView, SyncStateName } from './node.ts';
import type { TableOf } from './table-of.ts';

const STATE_COLOURS: Readonly<Record<SyncStateName, Colour>> = {
  SYNCED: 'green',
  PENDING: 'yellow',
  STALE: 'red',
  UNMATCHED: 'dim',
  UNKNOWN: 'dim',
};

export const nodeTable: TableOf<NodeView> = {
  plural: 'nodes',
  columns: [
    { title: 'SERVER ID', priority: 0, shrinkTo: 20 },
    { title: 'SYNC', priority: 1 },
    { title: 'CONNECTED', priority: 2 },
    { title: 'HOSTNAME', priority: 4, shrinkTo: 10 },
    { title: 'INSTANCE', priority: 5 },
    { title: 'REGION', priority: 6 },
    { title: 'ACCOUNT', priority: 9 },
    { title: 'AGENT', priority: 10 },
    { title: 'AUTH', priority: 8, shrinkTo: 10 },
    { title: 'LAST SEEN', priority: 7 },
    { title: 'LABELS', priority: 3, shrinkTo: 24 },
  ],
  row: (node, now) => [
    { text: visible(node.server_id) },
    stateCell(node.sync.state),
    connectedCell(node.connected),
    { text: visible(node.hostname) },
    { text: visible(node.aws?.instance_id ?? '-') },
    { text: visible(node.aws?.region ?? '-') },
    { text: visible(node.aws?.account_id ?? '-') },
    { text: visible(node.agent_version) },
    { text: visible(node.auth_id) },
    { text: ago(node.last_seen, now) },
    { text: labelsText(node.labels) },
  ],
  details: (node, now) => [
    ['server id', { text: visible(node.server_id) }],
    ['hostname', { text: visible(node.hostname) }],
    ['connected', connectedCell(node.connected)],
    ['instance', { text: visible(instanceText(node.aws)) }],
    ['sync', stateCell(node.sync.state)],
    ...(node.sync.reason === undefined ? [] : [['reason', { text: visible(node.sync.reason) }] as const]),
    ['revision', { text: visible(node.sync.revision || '-') }],
    ['acked revision', { text: visible(node.sync.acked_revision || '-') }],
    ['auth', { text: visible(node.auth_id || '-') }],
    ['agent version', { text: visible(node.agent_version || '-') }],
    [
      'last seen',
      { text: node.last_seen === null ? '-' : `${node.last_seen} (${ago(node.last_seen, now)})` },
    ],
    ...labelDetails(node.labels),
  ],
};

/** `account/region/instance`, or `-`. */
export function instanceText(instance: InstanceView | null): string {
  return instance === null ? '-' : `${instance.account_id}/${instance.region}/${instance.instance_id}`;
}

function stateCell(state: SyncStateName): Cell {
  return { text: state, colour: STATE_COLOURS[state] };
}

function connectedCell(connected: boolean): Cell {
  return connected ? { text: 'yes' } : { text: 'no', colour: 'red' };
}
