import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { accessRoleToMessage } from '@tagplane/protocol';
import { parseSelector } from '@tagplane/labels';
import { parse as parseYaml } from 'yaml';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleRole, sampleServerInfo } from '../testing/samples.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;
let folder: string;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  folder = await mkdtemp(join(tmpdir(), 'tagctl-roles-'));
  auth.roles.store(sampleRole('dev', 'deploy', 'aws/env=staging, aws/team=[db, web-*]'));
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

const DEV = {
  kind: 'role',
  metadata: {
    name: 'dev',
    revision: 1,
    updated_by: 'operator/tester',
    updated_at: '2026-11-22T11:59:00.000Z',
  },
  spec: {
    allow: [{ logins: ['deploy'], node_labels: { 'aws/env': 'staging', 'aws/team': ['db', 'web-*'] } }],
    deny: [],
  },
};

describe('roles ls, get and rm', () => {
  it('print the documents that create takes', async () => {
    expect(JSON.parse((await tagctl('roles', 'ls', '--format', 'json')).stdout)).toStrictEqual([DEV]);
    expect(parseYaml((await tagctl('roles', 'get', 'dev', '--format', 'yaml')).stdout)).toStrictEqual(DEV);
  });

  it('print what a role says to people', async () => {
    expect((await tagctl('roles', 'ls')).stdout).toMatch(
      /^NAME +ALLOW .*\ndev +deploy on aws\/env=staging, aws\/team=\[db, web-\*\] +- +- +1 +1m ago +operator\/tester\n$/,
    );
    expect((await tagctl('roles', 'get', 'dev')).stdout).toContain('max label age  any that is fresh');
  });

  it('take the other order of words too', async () => {
    expect(JSON.parse((await tagctl('get', 'roles', 'dev', '--format', 'json')).stdout)).toStrictEqual(DEV);
    expect(JSON.parse((await tagctl('ls', 'roles', '--format', 'json')).stdout)).toStrictEqual([DEV]);
    auth.serverInfos.set('web', sampleServerInfo('web'));
    expect((await tagctl('rm', 'server-infos', 'web')).stdout).toBe('server_info web removed\n');
    expect(await tagctl('rm', 'roles', 'dev')).toMatchObject({ code: 0, stdout: 'role dev removed\n' });
    expect(await tagctl('ls', 'nodes', '--format', 'json')).toMatchObject({ code: 0, stdout: '[]\n' });
  });

  it('say what is not there', async () => {
    const none = { code: 1, stderr: "tagctl: no role 'ops'; 'tagctl roles ls' lists them\n" };
    expect(await tagctl('roles', 'get', 'ops')).toMatchObject(none);
    expect(await tagctl('roles', 'edit', 'ops')).toMatchObject(none);
    expect(await tagctl('roles', 'rm', 'ops')).toMatchObject({ code: 1, stderr: "tagctl: no role 'ops'\n" });
  });
});

/** An editor that runs these lines of a shell, with the file as `$1` and the number of its run as `$n`. */
async function editor(...lines: string[]): Promise<Record<string, string>> {
  const script = join(folder, 'editor.sh');
  const count = `echo x >> ${folder}/runs; n=$(wc -l < ${folder}/runs)`;
  await writeFile(
    script,
    [count, `cp "$1" ${folder}/seen-$n`, `echo "$1" > ${folder}/file`, ...lines].join('\n'),
  );
  return { EDITOR: `sh ${script}` };
}

const seen = (run: number): Promise<string> => readFile(join(folder, `seen-${run}`), 'utf8');
const editedFile = async (): Promise<string> => (await readFile(join(folder, 'file'), 'utf8')).trim();

describe('edit', () => {
  const edit = (env: Record<string, string>, ...args: string[]) =>
    run([...args, '--address', served.address], { env });

  it('opens the document for its owner alone, and writes what was made of it', async () => {
    const env = await editor(
      `stat -c %a "$1" "$(dirname "$1")" > ${folder}/modes`,
      `sed -i s/deploy/release/ "$1"`,
    );
    expect(await edit(env, 'roles', 'edit', 'dev')).toEqual({
      code: 0,
      stdout: 'role dev stored\n',
      stderr: '',
    });
    expect(await readFile(join(folder, 'modes'), 'utf8')).toBe('600\n700\n');
    expect(parseYaml(await seen(1))).toStrictEqual({
      kind: 'role',
      metadata: { name: 'dev' },
      spec: DEV.spec,
    });
    expect(auth.roles.roles.get('dev')?.allow[0]?.logins).toEqual(['release']);
    expect(auth.roles.puts[0]?.precondition).toEqual({ case: 'expectedRevision', value: 1n });
    await expect(stat(dirname(await editedFile()))).rejects.toThrow('ENOENT');
  });

  it.each([['true'], ['echo "# nothing" > "$1"']])('writes nothing after %j', async (line) => {
    expect(await edit(await editor(line), 'edit', 'roles', 'dev')).toMatchObject({
      code: 0,
      stdout: 'role dev unchanged\n',
    });
    expect(auth.roles.puts).toHaveLength(0);
  });

  it('opens what is not valid again, with what is wrong on top, also by the word of the service', async () => {
    const env = await editor(
      'case $n in',
      `1) sed -i 's/web-[*]/^($/; s/allow:/alow:/' "$1" ;;`,
      `2) sed -i 's/alow:/allow:/' "$1" ;;`,
      `3) sed -i 's/\\^(\\$/web/; s/deploy/release/; s/name: dev/name: ops/' "$1" ;;`,
      `4) sed -i 's/name: ops/name: dev/' "$1" ;;`,
      'esac',
    );
    expect(await edit(env, 'roles', 'edit', 'dev')).toEqual({
      code: 0,
      stdout: 'role dev stored\n',
      stderr: '',
    });
    expect(await seen(2)).toMatch(/^#! document 1: spec.alow: unknown key\n# Save/);
    expect(await seen(3)).toMatch(
      /^#! document 1: spec\.allow\[0\]\.node_labels\["aws\/team"\]: .*\n#! {5}\^\(\$\n#! +\^\n/,
    );
    expect(await seen(4)).toMatch(/^#! metadata.name: expected dev; an edit renames nothing\n/);
  });

  it('keeps an edit that was left with its mistakes', async () => {
    const env = await editor(`[ $n = 1 ] && sed -i s/allow:/alow:/ "$1"; true`);
    const { code, stderr } = await edit(env, 'roles', 'edit', 'dev');
    expect(code).toBe(2);
    const file = await editedFile();
    expect(stderr).toBe(
      `tagctl: your edit is kept in ${file}\ntagctl: nothing was written\ntagctl: document 1: spec.alow: unknown key\n`,
    );
    expect(await readFile(file, 'utf8')).toContain('alow:');
    await rm(dirname(file), { recursive: true });
  });

  it('refuses what someone else has written meanwhile, shows both, and keeps the edit', async () => {
    const env = await editor('sed -i s/deploy/release/ "$1"');
    const other = accessRoleToMessage({
      name: 'dev',
      description: '',
      maxLabelAgeMs: undefined,
      allow: [{ logins: ['admin'], nodeLabels: parseSelector('aws/env=staging') }],
      deny: [],
    });
    // Read by edit, then written by someone else before edit writes.
    const stored = auth.roles.roles.get('dev');
    if (stored !== undefined) auth.roles.roles.set('dev', { ...stored, revision: 0n });
    auth.roles.beforePut = () => auth.roles.store(other);
    const { code, stderr } = await edit(env, 'roles', 'edit', 'dev');
    expect(code).toBe(1);
    const file = await editedFile();
    expect(stderr).toContain(`tagctl: your edit is kept in ${file}\n`);
    expect(stderr).toContain(
      'role dev has revision 2 by operator/tester, yours is of revision 0; - there, + yours:',
    );
    expect(stderr).toContain('tagctl: -         - admin\n');
    expect(stderr).toContain('tagctl: +         - release\n');
    expect(await readFile(file, 'utf8')).toContain('release');
    await rm(dirname(file), { recursive: true });
  });

  it('keeps the edit when the service cannot be reached any more, and when the editor fails', async () => {
    const env = await editor('sed -i s/deploy/release/ "$1"; exit 3');
    const { code, stderr } = await edit(env, 'roles', 'edit', 'dev');
    expect(code).toBe(1);
    const file = await editedFile();
    expect(stderr).toContain(`your edit is kept in ${file}\n`);
    expect(stderr).toContain('ended with exit code 3; set VISUAL or EDITOR to another');
    await rm(dirname(file), { recursive: true });
  });

  it('edits a ServerInfo of an operator, and none of discovery', async () => {
    auth.serverInfos.set('web', sampleServerInfo('web', [['dynamic/tier', 'web']]));
    const env = await editor('sed -i s/server-00001/server-00002/ "$1"');
    expect(await edit(env, 'server-infos', 'edit', 'web')).toEqual({
      code: 0,
      stdout: 'server_info web stored\n',
      stderr: '',
    });
    expect(parseYaml(await seen(1))).toStrictEqual({
      kind: 'server_info',
      metadata: { name: 'web' },
      spec: {
        match: { server_id: 'server-00001' },
        labels: { 'dynamic/tier': 'web' },
        expires_at: '2026-11-22T13:00:00.000Z',
      },
    });
    const [sent] = auth.upserts[0]?.serverInfos ?? [];
    expect(sent).toMatchObject({ expectedRevision: 42n, ttl: { seconds: 3_600n } });
    expect(await edit(env, 'server-infos', 'edit', 'aws-123456789012-eu-west-1-i-00000000')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is discovery's"),
    });
  });

  it('refuses a ServerInfo that was written meanwhile, and one that the guard holds', async () => {
    auth.serverInfos.set('web', sampleServerInfo('web', [['dynamic/tier', 'web']]));
    auth.beforeUpsert = () => auth.serverInfos.set('web', { ...sampleServerInfo('web'), revision: 43n });
    const env = await editor('sed -i s/server-00001/server-00002/ "$1"');
    const stale = await edit(env, 'server-infos', 'edit', 'web');
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain(
      'server_info web has revision 43 by operator/tester, yours is of revision 42',
    );
    expect(stale.stderr).toContain(
      'tagctl: -     server_id: server-00001\ntagctl: -   labels: {}\ntagctl: +     server_id: server-00002\n',
    );
    await rm(dirname(await editedFile()), { recursive: true });
    auth.beforeUpsert = undefined;
    auth.holdId = 'h7';
    const held = await edit(env, 'server-infos', 'edit', 'web');
    expect(held.code).toBe(4);
    expect(held.stderr).toContain('to let it go on: tagctl guard release h7');
    await rm(dirname(await editedFile()), { recursive: true });
  });
});
