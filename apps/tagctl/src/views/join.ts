import type { JoinRecord } from '@tagplane/protocol';
import { ago } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { instanceText } from './node-table.ts';
import { instanceView, timeView } from './node.ts';
import type { InstanceView } from './node.ts';
import { roleName } from './role.ts';
import type { TableOf } from './table-of.ts';

/** Who joined, as JSON and YAML show it; others script against these names. */
export interface JoinView {
  readonly role: string;
  readonly name: string;
  /** `token`, `iam`, `ec2` or `bootstrap`. */
  readonly method: string;
  /** What was proven. */
  readonly proof: string;
  readonly aws: InstanceView | null;
  /** RFC 3339, UTC. */
  readonly joined_at: string | null;
  readonly remote_address: string;
}

export function joinView(join: JoinRecord): JoinView {
  return {
    role: roleName(join.role),
    name: join.name,
    method: join.method,
    proof: join.proof,
    aws: join.awsInstance === undefined ? null : instanceView(join.awsInstance),
    joined_at: timeView(join.joinedAt),
    remote_address: join.remoteAddress,
  };
}

export const joinTable: TableOf<JoinView> = {
  plural: 'joins',
  columns: [
    { title: 'ROLE', priority: 0 },
    { title: 'NAME', priority: 1, shrinkTo: 20 },
    { title: 'METHOD', priority: 2 },
    { title: 'JOINED', priority: 3 },
    { title: 'INSTANCE', priority: 4 },
    { title: 'FROM', priority: 5, shrinkTo: 15 },
    { title: 'PROOF', priority: 6, shrinkTo: 16 },
  ],
  row: (join, now) => joinCells(join, now).map(([, cell]) => cell),
  details: joinCells,
};

function joinCells(join: JoinView, now: number) {
  return [
    ['role', { text: join.role }],
    ['name', { text: visible(join.name) }],
    ['method', { text: visible(join.method) }],
    ['joined', { text: ago(join.joined_at, now) }],
    ['instance', { text: visible(instanceText(join.aws)) }],
    ['from', { text: visible(join.remote_address || '-') }],
    ['proof', { text: visible(join.proof || '-') }],
  ] as const;
}
