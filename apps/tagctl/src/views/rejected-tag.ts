import type { ServerInfo } from '@tagplane/protocol';
import { visible } from '../format/escape.ts';
import { instanceText } from './node-table.ts';
import { instanceView } from './node.ts';
import type { InstanceView } from './node.ts';
import type { TableOf } from './table-of.ts';

/** A tag that is no label, as JSON and YAML show it; others script against these names. */
export interface RejectedTagView {
  /** Null: the ServerInfo is of no instance. */
  readonly aws: InstanceView | null;
  /** Shortened when it is long. */
  readonly key: string;
  readonly reason: string;
  readonly server_info: string;
}

/** All of one ServerInfo. */
export function rejectedTagViews({ name, match, rejectedTags }: ServerInfo): RejectedTagView[] {
  const aws = match?.target.case === 'awsInstance' ? instanceView(match.target.value) : null;
  return rejectedTags.map(({ key, reason }) => ({ aws, key, reason, server_info: name }));
}

export const rejectedTagTable: TableOf<RejectedTagView> = {
  plural: 'rejected tags',
  columns: [
    { title: 'ACCOUNT', priority: 3 },
    { title: 'REGION', priority: 4 },
    { title: 'INSTANCE', priority: 0 },
    { title: 'KEY', priority: 1, shrinkTo: 16 },
    { title: 'REASON', priority: 2, shrinkTo: 16 },
  ],
  row: ({ aws, key, reason, server_info: name }) => [
    { text: visible(aws?.account_id ?? '-') },
    { text: visible(aws?.region ?? '-') },
    { text: visible(aws?.instance_id ?? name) },
    { text: visible(key) },
    { text: visible(reason) },
  ],
  details: ({ aws, key, reason, server_info: name }) => [
    ['instance', { text: visible(instanceText(aws)) }],
    ['key', { text: visible(key) }],
    ['reason', { text: visible(reason) }],
    ['ServerInfo', { text: visible(name) }],
  ],
};
