import type { InstanceKey } from '@tagplane/identity';
import type { Command } from 'commander';
import { Option } from 'commander';
import { countOption, durationOption, instanceOption, nameOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

export const TOKEN_ROLES = ['agent', 'discovery', 'operator'] as const;
/** The service's own bound. */
const MAX_USES = 100_000;

/** What `tokens add` was told. */
export interface TokenFlags {
  readonly role: (typeof TOKEN_ROLES)[number];
  readonly name?: string;
  readonly instance?: InstanceKey;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly uses?: number;
  /** The file that the token goes to. */
  readonly out?: string;
}

const ADD_NOTES = `
The token is printed once, or with --out only written to a file for its owner, and kept nowhere else: who
loses it makes another. One that is bound to an
instance lets in exactly that instance; one with a name lets in, or back in, whoever has the name.
${examples(
  'tagctl tokens add --role agent --instance 123456789012/eu-central-1/i-0123456789abcdef0',
  'tagctl tokens add --role discovery --name eu --ttl 10m',
  'tagctl tokens add --role agent --name web-1 --out ./web-1.token',
  'tagctl tokens add --role operator --name alice --format json',
)}`;

export function addTokens(program: Command, run: Runner): void {
  const tokens = program
    .command('tokens')
    .description('join tokens: how a process without a certificate gets one');
  const commands = () => import('../commands/tokens.ts');
  tokens
    .command('add')
    .description('make a token, and print it with what to do with it')
    .addOption(new Option('--role <ROLE>', 'what one joins as').choices(TOKEN_ROLES).makeOptionMandatory())
    .addOption(nameOption('--name <NAME>', 'the name one joins with; default: any that is free'))
    .addOption(instanceOption('the EC2 instance that the token, and then the certificate, is bound to'))
    .addOption(durationOption('--ttl <DURATION>', 'how long it is good, 1m to 30d; default: 1h'))
    .addOption(countOption('--uses <N>', 'how often it may be used; default: once', MAX_USES))
    .option('--out <FILE>', 'write the token there, for its owner only, and do not print it')
    .addHelpText('after', ADD_NOTES)
    .action((flags: TokenFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).addToken(flags)),
    );
  tokens
    .command('ls')
    .description('list the tokens that are good now, without their secrets')
    .addHelpText('after', examples('tagctl tokens ls', 'tagctl tokens ls --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listTokens),
    );
  tokens
    .command('rm')
    .description('remove tokens; who joined by them stays')
    .argument('<ID...>', 'their ids')
    .addHelpText('after', examples('tagctl tokens rm 4nq7zkkd'))
    .action((ids: string[], _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).removeTokens(ids)),
    );
}
