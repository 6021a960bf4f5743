import type { InstanceKey } from '@tagplane/identity';
import { MINUTE, formatDuration } from '@tagplane/runtime';
import type { Command } from 'commander';
import { Option } from 'commander';
import { durationOption, instanceOption, nameOption, selectorOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

/** What `label set` and `label unset` were told. */
export interface LabelFlags {
  readonly selector?: string;
  /** A server id. */
  readonly node?: string;
  readonly instance?: InstanceKey;
  /** Of the ServerInfo. */
  readonly name?: string;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly dryRun?: boolean;
  /** Undefined: on a terminal. */
  readonly wait?: boolean;
  /** Of the wait, milliseconds. */
  readonly timeout: number;
}

/** Thousands of nodes take seconds; a node that came back a minute ago is waited for too. */
const WAIT_MS = 5 * MINUTE;

const NOTES = `
One of --selector, --node and --instance says which nodes. Their labels are kept in one ServerInfo, by the name
of the target: labels.node.SERVER_ID, labels.instance.ACCOUNT.REGION.ID, or labels.selector. and a hash of the
selector. Of two that say the same key, one for a server id wins over one for an instance, that over one
for a selector; of two of a kind, the one whose name comes later.
The time for each answer goes before the command here: tagctl --timeout 1m label set …
`;

const SET_NOTES = `${NOTES}A ServerInfo ends as a whole: labels with a --ttl beside others without one need a --name of their own.
${examples(
  "tagctl label set --selector 'aws/team=db' dynamic/maintenance=yes --dry-run",
  "tagctl label set --selector 'aws/team=db' dynamic/maintenance=yes",
  'tagctl label set --node web-1 dynamic/tier=canary --ttl 2h --name canary',
  'tagctl label set --instance 123456789012/eu-central-1/i-0123456789abcdef0 dynamic/owner=alice',
)}`;

const UNSET_NOTES = `${NOTES}
${examples(
  "tagctl label unset --selector 'aws/team=db' dynamic/maintenance",
  'tagctl label unset --node web-1 dynamic/tier --name canary --no-wait',
)}`;

export function addLabel(program: Command, run: Runner): void {
  const label = program.command('label').description("operators' labels of one node or of many");
  const commands = () => import('../commands/label.ts');
  withFlags(label.command('set'))
    .description('give nodes labels, beside those they have')
    .argument('<LABEL...>', 'dynamic/KEY=VALUE')
    .addOption(durationOption('--ttl <DURATION>', 'how long they hold; default: until unset'))
    .addHelpText('after', SET_NOTES)
    .action((words: string[], flags: LabelFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).setLabels(words, flags)),
    );
  withFlags(label.command('unset'))
    .description("take labels away again that 'label set' gave")
    .argument('<LABEL...>', 'dynamic/KEY, or dynamic/KEY=VALUE to take it away only if it has this value')
    .addHelpText('after', UNSET_NOTES)
    .action((words: string[], flags: LabelFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).unsetLabels(words, flags)),
    );
}

function withFlags(command: Command): Command {
  return command
    .addOption(selectorOption('every node that it picks'))
    .addOption(new Option('--node <SERVER_ID>', 'this node'))
    .addOption(instanceOption('the node of this EC2 instance'))
    .addOption(nameOption('--name <NAME>', 'of the ServerInfo to keep them in'))
    .option('--dry-run', 'write nothing; say which nodes would gain, lose or change which labels')
    .option('--wait', 'until every connected node has them; default on a terminal')
    .option('--no-wait', 'return as soon as they are stored')
    .addOption(
      durationOption('--timeout <DURATION>', 'how long to wait').default(WAIT_MS, formatDuration(WAIT_MS)),
    );
}
