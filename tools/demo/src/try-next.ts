import { LOGIN, ROLE } from './login.ts';
import type { Stack } from './stack.ts';
import { PREFERRED_AUTH_PORT } from './stack.ts';

type Shown = Pick<Stack, 'authPort' | 'ec2' | 'places' | 'socket'> & {
  readonly cluster: Pick<Stack['cluster'], 'credentialFile'>;
};

/** What to try while the demo runs on; each line can be pasted into a shell as it is. */
export function tryNext({ authPort, cluster, ec2, places, socket }: Shown): string {
  const [{ serverId, region, instance }] = places;
  return [
    '\nIt runs on until Ctrl-C. Try, in another terminal:\n',
    ...(authPort === PREFERRED_AUTH_PORT ? [] : [`  export TAGPLANE_ADDRESS=127.0.0.1:${authPort}`]),
    `  export TAGPLANE_IDENTITY=${quoted(cluster.credentialFile)}    # the credentials of its operator`,
    '  npx tagctl status',
    '  npx tagctl nodes ls',
    `  npx tagctl nodes get ${serverId}`,
    `  npx tagctl explain ${serverId}`,
    '  npx tagctl roles ls',
    `  npx tagctl access check --login ${LOGIN} --roles ${ROLE} --node ${serverId}`,
    `  npx tagplane-agent check --login ${LOGIN} --roles ${ROLE} --socket ${quoted(socket)}    # the node's own word`,
    "  npx tagctl label set --selector 'aws/env=prod' dynamic/owner=me --dry-run",
    '  npx tagctl server-infos ls --limit 10',
    '  npx tagctl joins ls',
    '  npx tagctl nodes watch',
    '\nand while that watch runs, change a tag in the simulated EC2:\n',
    `  curl -d '{"set":{"Name":"mine"}}' ${ec2.url}/_control/instances/${region}/${instance}/tags`,
  ].join('\n');
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
