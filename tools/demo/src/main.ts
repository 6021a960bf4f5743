#!/usr/bin/env -S node --conditions=@tagplane/source
import { once } from 'node:events';
import { runDemo } from './demo.ts';
import type { DemoOptions } from './options.ts';
import { USAGE, readOptions } from './options.ts';
import { createScreen } from './screen.ts';
import { startStack } from './stack.ts';

async function main(options: DemoOptions): Promise<void> {
  // JSON has standard output to itself.
  const screen = createScreen(options.format === 'json' ? process.stderr : process.stdout);
  await using stack = await startStack();
  const { authPort, ec2 } = stack;
  screen.say(`Simulated EC2 on ${ec2.url}, auth on 127.0.0.1:${authPort}, discovery, and agents:\n`);
  const result = await runDemo(stack, screen);
  if (!options.once) {
    const address = authPort === 7420 ? '' : ` --address 127.0.0.1:${authPort}`;
    const [{ serverId, region, instance }] = stack.places;
    screen.say(
      [
        '\nIt runs on until Ctrl-C. Try, in another terminal:\n',
        `  npx tagctl nodes ls${address}`,
        `  npx tagctl nodes watch${address}`,
        `  npx tagctl nodes get ${serverId}${address}`,
        `  npx tagctl server-infos ls${address}`,
        `  curl -X POST ${ec2.url}/_control/instances/${region}/${instance}/tags -d '{"set":{"env":"mine"}}'`,
      ].join('\n'),
    );
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), stack.agentsEnded]);
  }
  if (options.format === 'json') process.stdout.write(`${JSON.stringify(result)}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else {
    await main(options).catch((error: unknown) => {
      process.stderr.write(`tagplane-demo: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    });
  }
} catch (error) {
  process.stderr.write(`tagplane-demo: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
