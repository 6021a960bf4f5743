import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

/** What `access check` was told. */
export interface CheckFlags {
  readonly login: string;
  readonly roles: readonly string[];
  readonly node: string;
  readonly trait?: ReadonlyMap<string, readonly string[]>;
}

/** What `access diff` was told. */
export interface DiffFlags {
  readonly file?: string;
  readonly remove?: readonly string[];
}

const CHECK_NOTES = `
Answers with the code and the words of the node itself, by what the auth service last heard of its labels:
exit 0 when it is allowed, 3 when it is not, as 'tagplane-agent check' on the node.
${examples(
  'tagctl access check --login deploy --roles dev --node web-1',
  'tagctl access check --login alice --roles dev,ops --node 123456789012/eu-central-1/i-0123456789abcdef0 --trait logins=alice',
)}`;

const DIFF_NOTES = `
Each role is compared by itself, since nobody here knows who holds which together: a line that says a deny is
gained takes away from every holder of the role, whatever else they hold.
${examples('tagctl access diff -f role.yaml', 'tagctl access diff --remove dev --format json')}`;

export function addAccess(program: Command, run: Runner): void {
  const access = program.command('access').description('who may log in as whom on which nodes, and why');
  const commands = () => import('../commands/access.ts');
  access
    .command('check')
    .description('decide as a node would, and say why')
    .addOption(new Option('--login <LOGIN>', "the operating system's user").makeOptionMandatory())
    .addOption(
      new Option('--roles <ROLES>', 'roles that the user holds, separated by commas')
        .argParser(rolesArgument)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--node <NODE>', 'server id, instance id, or ACCOUNT/REGION/ID').makeOptionMandatory(),
    )
    .addOption(
      new Option('--trait <NAME=VALUE>', 'a trait of the user; may be repeated').argParser(traitArgument),
    )
    .addHelpText('after', CHECK_NOTES)
    .action((flags: CheckFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).checkAccess(flags)),
    );
  access
    .command('diff')
    .description('say who would gain or lose what on which nodes, before roles are written or removed')
    .addOption(new Option('-f, --file <FILE>', "documents of kind role; '-' for standard input"))
    .addOption(
      new Option('--remove <NAMES>', 'roles to take away, separated by commas').argParser(rolesArgument),
    )
    .addHelpText('after', DIFF_NOTES)
    .action((flags: DiffFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).diffRolesOnNodes(flags)),
    );
}

function rolesArgument(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('Expected names of roles, separated by commas.');
}

function traitArgument(
  text: string,
  before: ReadonlyMap<string, readonly string[]> | undefined,
): ReadonlyMap<string, readonly string[]> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  return new Map(before).set(name, [...(before?.get(name) ?? []), value]);
}
