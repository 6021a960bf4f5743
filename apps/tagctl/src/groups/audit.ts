import { HOUR, formatDuration } from '@tagplane/runtime';
import type { Command } from 'commander';
import { Option } from 'commander';
import { durationOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

const DEFAULT_SINCE_MS = HOUR;

/** What `audit tail` was told. */
export interface TailFlags {
  /** Milliseconds. */
  readonly since: number;
  readonly follow?: boolean;
  readonly code?: string;
}

export function addAudit(program: Command, run: Runner): void {
  const audit = program.command('audit').description('what happened that matters to security');
  audit
    .command('tail')
    .description('print events, oldest first')
    .addOption(
      durationOption('--since <DURATION>', 'how far back').default(
        DEFAULT_SINCE_MS,
        formatDuration(DEFAULT_SINCE_MS),
      ),
    )
    .option('-f, --follow', 'go on with new events, until interrupted')
    .addOption(new Option('--code <PREFIX>', 'only codes that begin so, such as join. or call.refused'))
    .addHelpText(
      'after',
      examples(
        'tagctl audit tail',
        'tagctl audit tail -f --code join.',
        'tagctl audit tail --since 12h --format json',
      ),
    )
    .action((flags: TailFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/audit.ts')).tailAudit(flags)),
    );
}
