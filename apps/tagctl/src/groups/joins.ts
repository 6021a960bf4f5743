import type { InstanceKey } from '@tagplane/identity';
import type { Command } from 'commander';
import { instanceOption, nameOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

/** What `joins reset` was told. */
export interface JoinFlags {
  readonly agent?: string;
  readonly instance?: InstanceKey;
  readonly discovery?: string;
  readonly operator?: string;
}

const RESET_NOTES = `
A name belongs to the proof it was joined with. Reset it when that proof is gone for good: then
whoever is let in next may have the name. Certificates stay good until they end; 'tagctl lock add'
shuts their holders out.
${examples('tagctl joins reset --agent web-1', 'tagctl joins reset --discovery eu')}`;

export function addJoins(program: Command, run: Runner): void {
  const joins = program.command('joins').description('who has joined, and by what proof');
  const commands = () => import('../commands/joins.ts');
  joins
    .command('ls')
    .description('list all names and how they were joined')
    .addHelpText('after', examples('tagctl joins ls', 'tagctl joins ls --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listJoins),
    );
  joins
    .command('reset')
    .description('forget how one was joined, so that it may be joined anew')
    .addOption(nameOption('--agent <ID>', "an agent's server id"))
    .addOption(instanceOption('the EC2 instance that was proven'))
    .addOption(nameOption('--discovery <NAME>', 'a discovery'))
    .addOption(nameOption('--operator <NAME>', 'an operator'))
    .addHelpText('after', RESET_NOTES)
    .action((flags: JoinFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).resetJoin(flags)),
    );
}
