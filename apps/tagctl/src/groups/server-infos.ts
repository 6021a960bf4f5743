import type { Command } from 'commander';
import { limitOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

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

export function addServerInfos(program: Command, run: Runner): void {
  const infos = program
    .command('server-infos')
    .description('the labels that a node should have: who wrote them, and until when they hold');
  const commands = () => import('../commands/server-infos.ts');
  infos
    .command('ls')
    .description('list all ServerInfos, assigned ones first')
    .addOption(limitOption())
    .addHelpText('after', examples('tagctl server-infos ls', 'tagctl server-infos ls --format yaml'))
    .action(({ limit }: { limit?: number }, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).listServerInfos(limit)),
    );
  infos
    .command('get')
    .description('show one ServerInfo in full')
    .argument('<NAME>', 'its name')
    .addHelpText('after', examples('tagctl server-infos get web-tier'))
    .action((name: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).getServerInfo(name)),
    );
  infos
    .command('rm')
    .description('remove ServerInfos; their nodes lose the labels at once')
    .argument('<NAME...>', 'their names')
    .addHelpText('after', examples('tagctl server-infos rm web-tier db-tier'))
    .action((names: string[], _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).removeServerInfos(names)),
    );
}

export function addCreate(program: Command, run: Runner): void {
  program
    .command('create')
    .description('create ServerInfos from a file; nothing is sent if any document in it is bad')
    .argument('<FILE>', "YAML or JSON documents of kind server_info; '-' for standard input")
    .option('-f, --force', 'replace those whose name exists already')
    .addHelpText('after', CREATE_NOTES)
    .action((file: string, { force }: { force?: boolean }, command: Command) =>
      run.connected(flagsOf(command), async () =>
        (await import('../commands/create.ts')).createServerInfos(file, force ?? false),
      ),
    );
}
