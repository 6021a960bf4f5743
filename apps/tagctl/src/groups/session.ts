import type { Command } from 'commander';
import { Option } from 'commander';
import { nameOption, pinsOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

/** What `login` was told, beside the global flags. */
export interface LoginFlags {
  readonly identity?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly caPin?: readonly string[];
  readonly name?: string;
}

const LOGIN_NOTES = `
Credentials are kept in ~/.config/tagplane/credentials.json, for their owner only, and renewed by
every command that finds them old. An address is remembered in config.yaml beside them.
${examples(
  'tagctl login --identity first-operator.json',
  'tagctl login --address auth.example:7420 --token-file token.txt --ca-pin sha256:…',
)}`;

/** Who tagctl is. */
export function addSession(program: Command, run: Runner): void {
  program
    .command('login')
    .description('become an operator, by a file of credentials or by a join token')
    .addOption(new Option('--identity <FILE>', "credentials, as 'tagplane-auth bootstrap' wrote them"))
    .addOption(new Option('--token <TOKEN>', "a join token for an operator; others see it in 'ps'"))
    .addOption(new Option('--token-file <FILE>', "a file that holds the token; '-' for standard input"))
    .addOption(pinsOption('with a token: the pin of the cluster it is for'))
    .addOption(nameOption('--name <NAME>', 'with a token that is for no name in particular: who to be'))
    .addHelpText('after', LOGIN_NOTES)
    .action((flags: LoginFlags, command: Command) =>
      run.alone(async (io) => (await import('../commands/login.ts')).login(flags, flagsOf(command), io)),
    );
  program
    .command('logout')
    .description('remove the credentials of this user from this machine')
    .addHelpText('after', examples('tagctl logout'))
    .action((_options: unknown, command: Command) =>
      run.alone(async (io) => (await import('../commands/logout.ts')).logout(flagsOf(command), io)),
    );
  program
    .command('whoami')
    .description('who asks, and until when, without asking anyone')
    .addHelpText('after', examples('tagctl whoami', 'tagctl whoami --format json'))
    .action((_options: unknown, command: Command) =>
      run.alone(async (io) => (await import('../commands/whoami.ts')).whoami(flagsOf(command), io)),
    );
}
