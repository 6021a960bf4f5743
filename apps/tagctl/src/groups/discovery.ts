import { parseAccountId, parseRegion } from '@tagplane/identity';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { limitOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

const STATES = [
  'ENROLLED',
  'WAITING',
  'PENDING',
  'FAILED',
  'NO_SSM_AGENT',
  'NOT_RUNNING',
  'UNSUPPORTED',
] as const;

/** What `discovery instances` was told. */
export interface InstanceFlags {
  readonly state?: readonly (typeof STATES)[number][];
  readonly account?: string;
  readonly region?: string;
  readonly limit?: number;
}

const STATUS_NOTES = `
Each scope is an account's region, looked at in one way. What a failing one found last stands until the labels
run out; its problem says how to mend it. Exit 1: a scope fails, or a group has nobody who works.
${examples('tagctl discovery status', 'tagctl discovery status --format json')}`;

const REJECTED_NOTES = `
Tags that the configuration does not carry, or that cannot be labels: their instances have all their others.
${examples('tagctl discovery rejected', 'tagctl discovery rejected --format json')}`;

const INSTANCES_NOTES = `
The reason of each says what to do. NONE: enrolment is not set up for it.
${examples(
  'tagctl discovery instances --state FAILED --state NO_SSM_AGENT',
  'tagctl discovery instances --account 123456789012 --region eu-central-1',
)}`;

export function addDiscovery(program: Command, run: Runner): void {
  const discovery = program
    .command('discovery')
    .description('the discoveries: who works, what they found and what they could not');
  const commands = () => import('../commands/discovery.ts');
  discovery
    .command('status')
    .description('show groups, their leaders and standbys, and the scopes that fail')
    .addHelpText('after', STATUS_NOTES)
    .action((_options: unknown, command: Command) =>
      run.connected(
        flagsOf(command),
        async () => (await import('../commands/discovery-status.ts')).showDiscoveryStatus,
      ),
    );
  discovery
    .command('scopes')
    .description('list the scopes and how their scans go; exit 1 when one fails')
    .option('--failing', 'only those that fail')
    .addHelpText('after', examples('tagctl discovery scopes', 'tagctl discovery scopes --failing'))
    .action((flags: { failing?: boolean }, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listScopes(flags)),
    );
  discovery
    .command('rejected')
    .description('list the tags of instances that are no labels, and why')
    .addOption(limitOption())
    .addHelpText('after', REJECTED_NOTES)
    .action(({ limit }: { limit?: number }, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listRejected(limit)),
    );
  discovery
    .command('instances')
    .description('list the discovered instances, and whether an agent speaks for each or why not')
    .addOption(stateOption())
    .addOption(accountOption())
    .addOption(regionOption())
    .addOption(limitOption())
    .addHelpText('after', INSTANCES_NOTES)
    .action((flags: InstanceFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listInstances(flags)),
    );
}

/** `no-ssm-agent` is as good as `NO_SSM_AGENT`; several are given one by one. */
function stateOption(): Option {
  return new Option('--state <STATE>', 'only those in this state; may be given again')
    .choices(STATES)
    .argParser((text, before: InstanceFlags['state'] | undefined) => {
      const name = text.toUpperCase().replaceAll('-', '_');
      const state = STATES.find((each) => each === name);
      if (state !== undefined) return [...(before ?? []), state];
      throw new InvalidArgumentError(`Allowed choices are ${STATES.join(', ')}.`);
    });
}

function accountOption(): Option {
  return new Option('--account <ID>', 'only those of this account').argParser((text) => {
    const account = parseAccountId(text);
    if (account !== undefined) return account;
    throw new InvalidArgumentError('Expected twelve digits.');
  });
}

function regionOption(): Option {
  return new Option('--region <REGION>', 'only those of this region').argParser((text) => {
    const region = parseRegion(text);
    if (region !== undefined) return region;
    throw new InvalidArgumentError('Expected a region, such as eu-central-1.');
  });
}
