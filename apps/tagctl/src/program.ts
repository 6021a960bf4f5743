import { VERSION } from '@tagplane/runtime';
import { Argument, Command } from 'commander';
import { printCompletion } from './commands/completion.ts';
import { createServerInfos } from './commands/create.ts';
import { getNode, listNodes } from './commands/nodes.ts';
import { getServerInfo, listServerInfos, removeServerInfos } from './commands/server-infos.ts';
import { showStatus } from './commands/status.ts';
import { showVersion } from './commands/version.ts';
import { watchNodes } from './commands/watch.ts';
import { SHELLS } from './completion/scripts.ts';
import type { Shell } from './completion/scripts.ts';
import type { CommandBody, GlobalFlags } from './context.ts';
import { addGlobalFlags, limitOption } from './flags.ts';
import type { TagctlIo } from './io.ts';

/** Does what a command line asked for. */
export interface Runner {
  /** With a connection to the auth service. */
  connected(flags: GlobalFlags, body: CommandBody): Promise<void>;
  /** Without one, and without reading any settings. */
  alone(body: (io: TagctlIo) => Promise<number>): Promise<void>;
}

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed, not found, unreachable, or 'status' found a problem
  2  a bad command line, configuration or file
`;

const WATCH_NOTES = `
On a terminal a table is redrawn in place. Elsewhere each change is a line, with --format json an
object on a line, with --format yaml a document. A lost connection is said and taken up again.
${examples('tagctl nodes watch', 'tagctl nodes watch --format json')}`;

const CREATE_NOTES = `
A document:
  kind: server_info
  metadata:
    name: web-tier
  spec:
    match:
      aws_instance: {account_id: '123456789012', region: eu-central-1, instance_id: i-0123456789abcdef0}
      # or instead  server_id: web-1
    labels:
      dynamic/tier: web
    ttl: 24h  # without it, until removed
${examples('tagctl create web-tier.yaml', 'tagctl create --force - < web-tier.yaml')}`;

/** The tree of all commands. Parsing a command line calls the runner, once. */
export function createProgram(run: Runner): Command {
  const program = new Command('tagctl')
    .description("The operator's command line of Tagplane: nodes, ServerInfos and the state of the cluster.")
    .version(`tagctl ${VERSION}`)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples('tagctl status', 'tagctl nodes ls', 'tagctl create web-tier.yaml'))
    .addHelpText('afterAll', EXIT_CODES);
  addGlobalFlags(program);
  addNodes(program, run);
  addServerInfos(program, run);
  addCreate(program, run);
  addStatus(program, run);
  addOwn(program, run);
  return program;
}

function addNodes(program: Command, run: Runner): void {
  const nodes = program.command('nodes').description('servers with an agent, and the labels they hold');
  nodes
    .command('ls')
    .description('list all nodes')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl nodes ls', 'tagctl nodes ls --format json --limit 10'))
    .action(({ limit }: { limit?: number }, command: Command) =>
      run.connected(flagsOf(command), listNodes(limit)),
    );
  nodes
    .command('get')
    .description('show one node in full')
    .argument('<ID>', 'its server id')
    .addHelpText('after', examples('tagctl nodes get web-1', 'tagctl nodes get web-1 --format yaml'))
    .action((id: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), getNode(id)),
    );
  nodes
    .command('watch')
    .description('show all nodes and every change, until interrupted')
    .addHelpText('after', WATCH_NOTES)
    .action((_options: unknown, command: Command) => run.connected(flagsOf(command), watchNodes));
}

function addServerInfos(program: Command, run: Runner): void {
  const infos = program
    .command('server-infos')
    .description('the labels that a node should have: who wrote them, and until when they hold');
  infos
    .command('ls')
    .description('list all ServerInfos, assigned ones first')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl server-infos ls', 'tagctl server-infos ls --format yaml'))
    .action(({ limit }: { limit?: number }, command: Command) =>
      run.connected(flagsOf(command), listServerInfos(limit)),
    );
  infos
    .command('get')
    .description('show one ServerInfo in full')
    .argument('<NAME>', 'its name')
    .addHelpText('after', examples('tagctl server-infos get web-tier'))
    .action((name: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), getServerInfo(name)),
    );
  infos
    .command('rm')
    .description('remove ServerInfos; their nodes lose the labels at once')
    .argument('<NAME...>', 'their names')
    .addHelpText('after', examples('tagctl server-infos rm web-tier db-tier'))
    .action((names: string[], _options: unknown, command: Command) =>
      run.connected(flagsOf(command), removeServerInfos(names)),
    );
}

function addCreate(program: Command, run: Runner): void {
  program
    .command('create')
    .description('create ServerInfos from a file; nothing is sent if any document in it is bad')
    .argument('<FILE>', "YAML or JSON documents of kind server_info; '-' for standard input")
    .option('-f, --force', 'replace those whose name exists already')
    .addHelpText('after', CREATE_NOTES)
    .action((file: string, { force }: { force?: boolean }, command: Command) =>
      run.connected(flagsOf(command), createServerInfos(file, force ?? false)),
    );
}

function addStatus(program: Command, run: Runner): void {
  program
    .command('status')
    .description('how the cluster does; exit 1 if there is a problem')
    .addHelpText('after', examples('tagctl status', 'tagctl status --format json'))
    .action((_options: unknown, command: Command) => run.connected(flagsOf(command), showStatus));
}

function addOwn(program: Command, run: Runner): void {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'source <(tagctl completion bash)',
        'source <(tagctl completion zsh)',
        'tagctl completion fish | source',
      ),
    )
    .action((shell: Shell) => run.alone((io) => printCompletion(shell, program, io)));
  program
    .command('version')
    .description('print the version')
    .addHelpText('after', examples('tagctl version', 'tagctl version --format json'))
    .action((_options: unknown, command: Command) =>
      run.alone((io) => showVersion(flagsOf(command).format, io)),
    );
}

function flagsOf(command: Command): GlobalFlags {
  return command.optsWithGlobals<GlobalFlags>();
}

function examples(...lines: readonly string[]): string {
  return ['\nExamples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}
