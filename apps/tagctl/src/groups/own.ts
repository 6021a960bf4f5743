import type { Command } from 'commander';
import { Argument } from 'commander';
import { SHELLS } from '../completion/shells.ts';
import type { Shell } from '../completion/shells.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

export function addStatus(program: Command, run: Runner): void {
  program
    .command('status')
    .description('how the cluster does; exit 1 if there is a problem')
    .addHelpText('after', examples('tagctl status', 'tagctl status --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/status.ts')).showStatus),
    );
}

/** What tagctl does without asking anyone. */
export function addOwn(program: Command, run: Runner): void {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'source <(tagctl completion bash)',
        'source <(tagctl completion zsh)',
        'tagctl completion fish | source',
      ),
    )
    .action((shell: Shell) =>
      run.alone(async (io) => {
        const { printCompletion } = await import('../commands/completion.ts');
        return await printCompletion(shell, program, io);
      }),
    );
  program
    .command('version')
    .description('print the version')
    .addHelpText('after', examples('tagctl version', 'tagctl version --format json'))
    .action((_options: unknown, command: Command) =>
      run.alone(async (io) => {
        const { showVersion } = await import('../commands/version.ts');
        return await showVersion(flagsOf(command).format, io);
      }),
    );
}
