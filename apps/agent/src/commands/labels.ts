import { formatDuration } from '@tagplane/runtime';
import type { LabelsDocument } from '../routes/labels.ts';
import { localCommand } from './local.ts';
import { table } from './table.ts';

const HELP = `  server_id     this server's name in the cluster
  revision      names the labels that came from the auth service; empty for none
  freshness     fresh, stale (some ran out) or none (nothing came yet)
  labels        {KEY: VALUE}, all that count now: its own, aws/ and dynamic/
  sources       {KEY: own | command | imported | auth}; imported: from instance metadata
  stale         {KEY: VALUE}, labels that ran out: shown only, they do not count
  age_s         {NAMESPACE: seconds since its source was asked, null when unknown}
  expires_in_s  {NAMESPACE: seconds until its labels stop counting, null for never}
  commands      {KEY: {age_s, expires_in_s, problem}}, the labels of commands; age_s is null until
                one has succeeded
`;

export const labelsCommand = localCommand<LabelsDocument>({
  name: 'labels',
  summary: 'show the labels of this server',
  help: HELP,
  path: '/v1/labels',
  table: labelsTable,
});

export function labelsTable(document: LabelsDocument): string {
  const { labels, stale, sources } = document;
  const row = ([key, value]: [string, string]): string[] => {
    const source = sources[key] ?? '';
    return [key, value, source, source === 'own' ? '' : freshnessText(leftOf(document, key))];
  };
  const rows = [...Object.entries(labels), ...Object.entries(stale)].map(row);
  if (rows.length === 0) return 'no labels\n';
  rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
  return table([['KEY', 'VALUE', 'SOURCE', 'FRESHNESS'], ...rows]);
}

function leftOf({ sources, commands, expires_in_s }: LabelsDocument, key: string): number | null {
  if (sources[key] === 'command') return commands[key]?.expires_in_s ?? null;
  const namespace = Object.keys(expires_in_s).find((prefix) => key.startsWith(prefix));
  return namespace === undefined ? null : (expires_in_s[namespace] ?? null);
}

function freshnessText(left: number | null): string {
  if (left === null) return 'does not expire';
  return left <= 0 ? 'stale' : `for ${formatDuration(left * 1_000)}`;
}
