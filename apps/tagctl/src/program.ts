import { VERSION } from '@tagplane/runtime';
import { Command } from 'commander';
import { getNode, listNodes } from './commands/nodes.ts';
import { getServerInfo, listServerInfos, removeServerInfos } from './commands/server-infos.ts';
import type { CommandBody, GlobalFlags } from './context.ts';
import { addGlobalFlags, limitOption } from './flags.ts';

/** Does what a command line asked for, with its flags. */
export type Runner = (flags: GlobalFlags, body: CommandBody) => Promise<void>;

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed, not found, unreachable, or 'status' found a problem
  2  a bad command line, configuration or file
`;

/** The tree of all commands. Parsing a command line calls the runner, once. */
export function createProgram(run: Runner): Command {
  const program = new Command('tagctl')
    .description("The operator's command line of Tagplane: nodes, ServerInfos and the state of the cluster.")
    .version(`tagctl ${VERSION}`)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('afterAll', EXIT_CODES);
  addGlobalFlags(program);
  addNodes(program, run);
  addServerInfos(program, run);
  return program;
}

function addNodes(program: Command, run: Runner): void {
  const nodes = program.command('nodes').description('servers with an agent, and the labels they hold');
  nodes
    .command('ls')
    .description('list all nodes')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl nodes ls', 'tagctl nodes ls --format json --limit 10'))
    .action(({ limit }: { limit?: number }, command: Command) => run(flagsOf(command), listNodes(limit)));
  nodes
    .command('get')
    .description('show one node in full')
    .argument('<ID>', 'its server id')
    .addHelpText('after', examples('tagctl nodes get web-1', 'tagctl nodes get web-1 --format yaml'))
    .action((id: string, _options: unknown, command: Command) => run(flagsOf(command), getNode(id)));
}

function addServerInfos(program: Command, run: Runner): void {
  const infos = program
    .command('server-infos')
    .description('which labels some node should have, says who, and until when');
  infos
    .command('ls')
    .description('list all ServerInfos, assigned ones first')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl server-infos ls', 'tagctl server-infos ls --format yaml'))
    .action(({ limit }: { limit?: number }, command: Command) =>
      run(flagsOf(command), listServerInfos(limit)),
    );
  infos
    .command('get')
    .description('show one ServerInfo in full')
    .argument('<NAME>', 'its name')
    .addHelpText('after', examples('tagctl server-infos get web-tier'))
    .action((name: string, _options: unknown, command: Command) =>
      run(flagsOf(command), getServerInfo(name)),
    );
  infos
    .command('rm')
    .description('remove ServerInfos; their nodes lose the labels at once')
    .argument('<NAME...>', 'their names')
    .addHelpText('after', examples('tagctl server-infos rm web-tier db-tier'))
    .action((names: string[], _options: unknown, command: Command) =>
      run(flagsOf(command), removeServerInfos(names)),
    );
}

function flagsOf(command: Command): GlobalFlags {
  return command.optsWithGlobals<GlobalFlags>();
}

function examples(...lines: readonly string[]): string {
  return ['\nExamples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}
