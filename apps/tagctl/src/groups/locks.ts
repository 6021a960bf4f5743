import type { InstanceKey } from '@tagplane/identity';
import type { Command } from 'commander';
import { Option } from 'commander';
import { durationOption, instanceOption, nameOption, spiffeOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

/** What `lock add` was told. */
export interface LockFlags {
  readonly agent?: string;
  readonly instance?: InstanceKey;
  /** A SPIFFE ID. */
  readonly identity?: string;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly message?: string;
}

const ADD_NOTES = `
Who is locked gets no connection, and loses those it has, on every auth process, within seconds.
Locking the same target again replaces message and end. Credentials other than the usual ones go
before the command here: tagctl --identity FILE lock add --identity SPIFFE_ID
${examples(
  'tagctl lock add --agent web-1 --message "under investigation"',
  'tagctl lock add --instance 123456789012/eu-central-1/i-0123456789abcdef0 --ttl 2h',
  'tagctl lock add --identity spiffe://tagplane/operator/alice',
)}`;

export function addLocks(program: Command, run: Runner): void {
  const lock = program.command('lock').description('who is shut out, at once and everywhere');
  const commands = () => import('../commands/locks.ts');
  lock
    .command('add')
    .description('shut out an agent, an instance or any identity')
    .addOption(nameOption('--agent <ID>', "an agent's server id"))
    .addOption(instanceOption('every agent that proves to be this EC2 instance'))
    .addOption(spiffeOption('whoever has this identity'))
    .addOption(durationOption('--ttl <DURATION>', 'how long; default: until removed'))
    .addOption(new Option('--message <TEXT>', 'why, for who looks at it later'))
    .addHelpText('after', ADD_NOTES)
    .action((flags: LockFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).addLock(flags)),
    );
  lock
    .command('ls')
    .description('list the locks in force')
    .addHelpText('after', examples('tagctl lock ls', 'tagctl lock ls --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listLocks),
    );
  lock
    .command('rm')
    .description('end locks')
    .argument('<ID...>', "their ids, as 'tagctl lock ls' shows them")
    .addHelpText('after', examples('tagctl lock rm agent:web-1'))
    .action((ids: string[], _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).removeLocks(ids)),
    );
}
