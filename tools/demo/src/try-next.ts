import type { Stack } from './stack.ts';
import { PREFERRED_AUTH_PORT } from './stack.ts';

/** What to try while the demo runs on. */
export function tryNext({ authPort, ec2, places }: Pick<Stack, 'authPort' | 'ec2' | 'places'>): string {
  const [{ serverId, region, instance }] = places;
  const address = authPort === PREFERRED_AUTH_PORT ? '' : ` --address 127.0.0.1:${authPort}`;
  return [
    '\nIt runs on until Ctrl-C. Try, in another terminal:\n',
    `  npx tagctl status${address}`,
    `  npx tagctl nodes ls${address}`,
    `  npx tagctl nodes get ${serverId}${address}`,
    `  npx tagctl server-infos ls --limit 10${address}`,
    `  npx tagctl nodes watch${address}`,
    '\nand while that watch runs, change a tag in the simulated EC2:\n',
    `  curl -d '{"set":{"Name":"mine"}}' ${ec2.url}/_control/instances/${region}/${instance}/tags`,
  ].join('\n');
}
