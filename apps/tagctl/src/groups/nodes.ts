import type { Command } from 'commander';
import { limitOption, selectorOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

const WATCH_NOTES = `
On a terminal a table is redrawn in place. Elsewhere each change is a line, with --format json an
object on a line, with --format yaml a document. A lost connection is said and taken up again.
${examples('tagctl nodes watch', 'tagctl nodes watch --format json')}`;

export function addNodes(program: Command, run: Runner): void {
  const nodes = program.command('nodes').description('servers with an agent, and the labels they hold');
  nodes
    .command('ls')
    .description('list all nodes, or those that a selector picks')
    .addOption(selectorOption('only the nodes that it picks'))
    .addOption(limitOption())
    .addHelpText(
      'after',
      examples(
        'tagctl nodes ls',
        "tagctl nodes ls --selector 'aws/env=prod, aws/team=[db, web-*]'",
        'tagctl nodes ls --format json --limit 10',
      ),
    )
    .action((flags: { limit?: number; selector?: string }, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/nodes.ts')).listNodes(flags)),
    );
  nodes
    .command('get')
    .description('show one node in full')
    .argument('<ID>', 'its server id')
    .addHelpText('after', examples('tagctl nodes get web-1', 'tagctl nodes get web-1 --format yaml'))
    .action((id: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/nodes.ts')).getNode(id)),
    );
  nodes
    .command('watch')
    .description('show all nodes and every change, until interrupted')
    .addHelpText('after', WATCH_NOTES)
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/watch.ts')).watchNodes),
    );
}
