import { formatDuration } from '@tagplane/runtime';
import type { StatusDocument } from '../routes/status.ts';
import { localCommand } from './local.ts';
import { table } from './table.ts';

const HELP = `  server_id, hostname, version; server_id is empty until the agent has joined
  connection    {state: connected | connecting | waiting | stopped, address, auth_id, since,
                retry_in_s, last_error}
  identity      {mode: mutual | insecure, id (SPIFFE ID), instance, certificate_expires_at,
                certificate_expires_in_s, trust_generation, join_method, problem}
  labels        {revision, freshness: fresh | stale | none, source: stream | disk | none, age_s,
                remaining_s}
  roles         {revision, freshness, source, count, remaining_s}, what it decides by
  refused       [{file, reason, at}], files on disk that were edited, put back, or not signed
  imported      {labels, age_s, problem}, tags by instance metadata; null when that is not asked
  aws           {account_id, region, instance_id, source: configured | instance metadata |
                this boot | certificate | none, problem}
  What is not known, or does not apply, is null.
`;

export const statusCommand = localCommand<StatusDocument>({
  name: 'status',
  summary: 'show who this agent is, its connection and what it holds',
  help: HELP,
  path: '/v1/status',
  table: statusTable,
});

export function statusTable({
  server_id,
  hostname,
  version,
  connection,
  identity,
  labels,
  roles,
  refused,
  imported,
  aws,
}: StatusDocument): string {
  const { address, auth_id, retry_in_s, last_error } = connection;
  const instance =
    aws.instance_id === null
      ? `unknown: ${aws.problem ?? ''}`
      : `${aws.instance_id} in ${aws.region ?? ''}, account ${aws.account_id ?? ''} (${aws.source})`;
  return table([
    ['server id', server_id === '' ? 'none yet' : server_id],
    ['hostname', hostname],
    ['version', version],
    ['connection', `${connection.state} since ${connection.since}`],
    ...(address === null ? [] : [['address', auth_id === null ? address : `${address} (${auth_id})`]]),
    ...(retry_in_s === null ? [] : [['next attempt', `in ${formatDuration(retry_in_s * 1_000)}`]]),
    ...(last_error === null ? [] : [['last error', last_error]]),
    ...identityRows(identity),
    ['labels', labels.source === 'none' ? 'none yet' : `${labels.freshness}, from ${labels.source}`],
    ...(labels.revision === '' ? [] : [['revision', labels.revision]]),
    ...(labels.age_s === null ? [] : [['age', formatDuration(labels.age_s * 1_000)]]),
    ...(labels.remaining_s === null ? [] : [['remaining', formatDuration(labels.remaining_s * 1_000)]]),
    ...(roles === null ? [] : [['roles', rolesText(roles)]]),
    ...refused.map(({ file, reason }) => ['refused', `${file}: ${reason}`]),
    ...importedRows(imported),
    ['instance', instance],
  ]);
}

function importedRows(imported: StatusDocument['imported']): string[][] {
  const problem = imported?.problem ?? undefined;
  return problem === undefined ? [] : [['tags', `not by instance metadata: ${problem}`]];
}

function rolesText({ freshness, source, count, remaining_s }: NonNullable<StatusDocument['roles']>): string {
  if (freshness === 'none') return 'none yet';
  const left =
    remaining_s === null || freshness === 'stale' ? '' : ` for ${formatDuration(remaining_s * 1_000)}`;
  return `${count}, ${freshness}${left}, from ${source}`;
}

function identityRows(identity: StatusDocument['identity']): string[][] {
  if (identity.mode === 'insecure') return [['identity', 'claimed, without TLS']];
  const { id, instance, certificate_expires_in_s: left, trust_generation, join_method, problem } = identity;
  return [
    ['identity', id ?? 'not joined yet'],
    ...(instance === null ? [] : [['proven', instance]]),
    ...(left === null
      ? []
      : [['certificate', left > 0 ? `ends in ${formatDuration(left * 1_000)}` : 'has ended']]),
    ...(trust_generation === null ? [] : [['trust', `generation ${trust_generation}`]]),
    ...(join_method === null ? [] : [['joins by', join_method]]),
    ...(problem === null ? [] : [['problem', problem]]),
  ];
}
