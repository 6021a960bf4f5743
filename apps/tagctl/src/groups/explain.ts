import type { Command } from 'commander';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

export function addExplain(program: Command, run: Runner): void {
  program
    .command('explain')
    .description(
      'why a node has the labels it has, and what is missing: who said so, when, and how far it got',
    )
    .argument('<NODE>', 'server id, instance id, or ACCOUNT/REGION/ID; it needs no agent')
    .argument('[LABEL]', 'only this label; exit 1 when nobody says it')
    .addHelpText(
      'after',
      examples(
        'tagctl explain web-1',
        'tagctl explain i-0123456789abcdef0 aws/team',
        'tagctl explain 123456789012/eu-central-1/i-0123456789abcdef0 --format json',
      ),
    )
    .action((node: string, label: string | undefined, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () =>
        (await import('../commands/explain.ts')).explainNode(node, label),
      ),
    );
}
