import { Command } from 'commander';
import { addNodes } from './nodes.ts';
import { addRoles } from './roles.ts';
import type { Runner } from './runner.ts';
import { addServerInfos } from './server-infos.ts';

/**
 * The other order of words: `tagctl get roles NAME` is `tagctl roles get NAME`. These are not in the help,
 * which shows every command once.
 */
export function addVerbs(program: Command, run: Runner): void {
  const nouns = new Command();
  for (const add of [addRoles, addServerInfos, addNodes]) add(nouns, run);
  for (const verb of ['get', 'ls', 'rm', 'edit']) {
    const command = program.command(verb, { hidden: true }).description(`another word for NOUN ${verb}`);
    for (const noun of nouns.commands) {
      const done = noun.commands.find((each) => each.name() === verb);
      if (done !== undefined) command.addCommand(done.name(noun.name()).copyInheritedSettings(command));
    }
  }
}
