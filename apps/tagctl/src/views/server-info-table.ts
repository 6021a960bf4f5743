import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { labelsText } from '../format/labels-text.ts';
import { labelDetails } from './label-details.ts';
import { instanceText } from './node-table.ts';
import { selectorText } from './selector.ts';
import type { MatchView, ServerInfoView } from './server-info.ts';
import type { TableOf } from './table-of.ts';

export const serverInfoTable: TableOf<ServerInfoView> = {
  plural: 'ServerInfos',
  columns: [
    // Whole: discovered names are all alike but for their end, aws-ACCOUNT-REGION-INSTANCE.
    { title: 'NAME', priority: 0, shrinkTo: 51 },
    { title: 'MATCH', priority: 4, shrinkTo: 20 },
    { title: 'EXPIRES', priority: 1 },
    { title: 'OBSERVED', priority: 3 },
    { title: 'ORIGIN', priority: 5, shrinkTo: 20 },
    { title: 'LABELS', priority: 2, shrinkTo: 16 },
  ],
  row: (info, now) => [
    { text: visible(info.name) },
    { text: visible(matchId(info.match)) },
    { text: until(info.expires_at, now) },
    { text: ago(info.observed_at, now) },
    { text: visible(info.origin) },
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

/** Without the account and the region: a table has no room for what `get` shows. */
function matchId(match: MatchView): string {
  return match !== null && 'aws_instance' in match ? match.aws_instance.instance_id : matchText(match);
}

function matchText(match: MatchView): string {
  if (match === null) return 'of a kind unknown to this version';
  if ('selector' in match) return selectorText(match.selector);
  return 'server_id' in match ? match.server_id : instanceText(match.aws_instance);
}
