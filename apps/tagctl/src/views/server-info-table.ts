import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { labelsText } from '../format/labels-text.ts';
import { labelDetails } from './label-details.ts';
import { instanceText } from './node-table.ts';
import type { MatchView, ServerInfoView } from './server-info.ts';
import type { TableOf } from './table-of.ts';

export const serverInfoTable: TableOf<ServerInfoView> = {
  plural: 'ServerInfos',
  columns: [
    { title: 'NAME', priority: 0, shrinkTo: 24 },
    { title: 'MATCH', priority: 4, shrinkTo: 20 },
    { title: 'EXPIRES', priority: 1 },
    { title: 'OBSERVED', priority: 3 },
    { title: 'ORIGIN', priority: 5, shrinkTo: 12 },
    { title: 'REVISION', priority: 6 },
    { title: 'LABELS', priority: 2, shrinkTo: 24 },
  ],
  row: (info, now) => [
    { text: visible(info.name) },
    { text: visible(matchText(info.match)) },
    { text: until(info.expires_at, now) },
    { text: ago(info.observed_at, now) },
    { text: visible(info.origin) },
    { text: String(info.revision) },
    { text: labelsText(info.labels) },
  ],
  details: (info, now) => [
    ['name', { text: visible(info.name) }],
    ['match', { text: visible(matchText(info.match)) }],
    ['origin', { text: visible(info.origin) }],
    ['observed', { text: withAge(info.observed_at, ago(info.observed_at, now)) }],
    ['expires', { text: withAge(info.expires_at, until(info.expires_at, now)) }],
    ['revision', { text: String(info.revision) }],
    ...labelDetails(info.labels),
  ],
};

function withAge(time: string | null, age: string): string {
  return time === null ? age : `${time} (${age})`;
}

function matchText(match: MatchView): string {
  if (match === null) return 'of a kind unknown to this version';
  return 'server_id' in match ? match.server_id : instanceText(match.aws_instance);
}
