import { formatDuration } from '@tagplane/runtime';
import type { LabelsDocument } from '../routes/labels.ts';
import { localCommand } from './local.ts';
import { table } from './table.ts';

const HELP = `  server_id     this server's name in the cluster
  revision      names the labels that came from the auth service; empty for none
  freshness     fresh, stale (some ran out) or none (nothing came yet)
  labels        {KEY: VALUE}, all that count now: its own, aws/ and dynamic/
  sources       {KEY: own | auth}
  stale         {KEY: VALUE}, labels that ran out: shown only, they do not count
  age_s         {NAMESPACE: seconds since its source was asked, null when unknown}
  expires_in_s  {NAMESPACE: seconds until its labels stop counting, null for never}
`;

export const labelsCommand = localCommand<LabelsDocument>({
  name: 'labels',
  summary: 'show the labels of this server',
  help: HELP,
  path: '/v1/labels',
  table: labelsTable,
});

export function labelsTable(document: LabelsDocument): string {
  const row = (key: string, value: string, source: string): string[] => {
    const namespace = Object.keys(document.expires_in_s).find((prefix) => key.startsWith(prefix));
    return [key, value, source, source === 'own' ? '' : freshnessText(document, namespace)];
  };
  const rows = [
    ...Object.entries(document.labels).map(([key, value]) => row(key, value, document.sources[key] ?? '')),
    ...Object.entries(document.stale).map(([key, value]) => row(key, value, 'auth')),
  ];
  if (rows.length === 0) return 'no labels\n';
  rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
  return table([['KEY', 'VALUE', 'SOURCE', 'FRESHNESS'], ...rows]);
}

function freshnessText(document: LabelsDocument, namespace: string | undefined): string {
  const left = namespace === undefined ? null : (document.expires_in_s[namespace] ?? null);
  if (left === null) return 'does not expire';
  return left <= 0 ? 'stale' : `for ${formatDuration(left * 1_000)}`;
}
