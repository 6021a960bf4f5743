import type { Command } from 'commander';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

const RELEASE_NOTES = `
What waits for the decision goes on: a change of an operator at once, one of a discovery at its next scan.
${examples('tagctl guard release 7f3a91c2')}`;

const DROP_NOTES = `
A change of an operator is forgotten. One of a discovery is not sent, and not asked about again while EC2
says the same: the labels that its nodes hold run out by themselves.
${examples('tagctl guard drop 7f3a91c2')}`;

export function addGuard(program: Command, run: Runner): void {
  const guard = program
    .command('guard')
    .description('changes that are held, because they would change the labels of too many nodes');
  const commands = () => import('../commands/guard.ts');
  guard
    .command('ls')
    .description('list what is held, and what was decided, the oldest first')
    .addHelpText('after', examples('tagctl guard ls', 'tagctl guard ls --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listHolds),
    );
  guard
    .command('release')
    .description('let a held change go on')
    .argument('<ID>', "its id, as 'tagctl guard ls' shows it")
    .addHelpText('after', RELEASE_NOTES)
    .action((id: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).decideHold(id, 'release')),
    );
  guard
    .command('drop')
    .description('end a held change for good')
    .argument('<ID>', "its id, as 'tagctl guard ls' shows it")
    .addHelpText('after', DROP_NOTES)
    .action((id: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).decideHold(id, 'drop')),
    );
}
