import type { Command } from 'commander';
import { limitOption } from '../arguments.ts';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { EDIT_NOTES, examples } from './runner.ts';

const CREATE_NOTES = `
Documents, one after the other with --- between them, are written in their order:
  kind: role
  metadata:
    name: dev
  spec:
    max_label_age: 2h  # older labels count as unknown; without it, any fresh label counts
    allow:
      - logins: [deploy, '{{traits.logins}}']
        node_labels: {aws/env: staging, aws/team: [db, 'web-*']}
    deny:
      - logins: ['*']
        node_labels: {aws/pci: 'true'}
  ---
  kind: server_info
  metadata:
    name: web-tier
  spec:
    match:
      selector: {aws/team: web}
      # or instead  server_id: web-1
      # or instead  aws_instance: {account_id: '123456789012', region: eu-central-1, instance_id: i-0123456789abcdef0}
    labels:
      dynamic/tier: web
    ttl: 24h  # or instead  expires_at: 2026-11-23T12:00:00Z; without either, until removed
A document with metadata.revision replaces exactly that revision; one without is new.
${examples('tagctl create web-tier.yaml', 'tagctl create -f role.yaml', 'tagctl create --dry-run - < web-tier.yaml')}`;

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
    .command('edit')
    .description("edit one of an operator's, and write it unless someone else has done so meanwhile")
    .argument('<NAME>', 'its name')
    .addHelpText('after', `${EDIT_NOTES}${examples('tagctl server-infos edit web-tier')}`)
    .action((name: string, _options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () =>
        (await import('../commands/edit-server-info.ts')).editServerInfo(name),
      ),
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
    .description('create ServerInfos and roles from a file; nothing is sent if any document in it is bad')
    .argument('<FILE>', "YAML or JSON documents of kind server_info or role; '-' for standard input")
    .option('-f, --force', 'replace those whose name exists already')
    .option('--dry-run', 'write nothing; say which nodes would gain, lose or change which labels')
    .addHelpText('after', CREATE_NOTES)
    .action((file: string, flags: { force?: boolean; dryRun?: boolean }, command: Command) =>
      run.connected(flagsOf(command), async () =>
        (await import('../commands/create.ts')).createResources(file, flags),
      ),
    );
}
