import type { Command } from 'commander';
import { limitOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { EDIT_NOTES, examples } from './runner.ts';

export function addRoles(program: Command, run: Runner): void {
  const roles = program
    .command('roles')
    .description("who may log in as whom on which nodes; 'tagctl create' writes them");
  const commands = () => import('../commands/roles.ts');
  roles
    .command('ls')
    .description('list all roles')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl roles ls', 'tagctl roles ls --format yaml > roles.yaml'))
    .action(({ limit }: { limit?: number }, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listRoles(limit)),
    );
  roles
    .command('get')
    .description("show one role; with --format yaml as 'tagctl create' takes it")
    .argument('<NAME>', 'its name')
    .addHelpText('after', examples('tagctl roles get dev', 'tagctl roles get dev --format yaml > dev.yaml'))
    .action((name: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).getRole(name)),
    );
  roles
    .command('edit')
    .description('edit one role, and write it unless someone else has done so meanwhile')
    .argument('<NAME>', 'its name')
    .addHelpText(
      'after',
      `${EDIT_NOTES}${examples('tagctl roles edit dev', 'EDITOR=nano tagctl roles edit dev')}`,
    )
    .action((name: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await import('../commands/edit-role.ts')).editRole(name)),
    );
  roles
    .command('rm')
    .description("remove roles; 'tagctl access diff --remove' says before who loses what")
    .argument('<NAME...>', 'their names')
    .addHelpText('after', examples('tagctl roles rm dev ops'))
    .action((names: string[], _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).removeRoles(names)),
    );
}
