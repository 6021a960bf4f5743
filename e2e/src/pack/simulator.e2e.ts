import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startProcess, waitFor } from '@tagplane/harness';
import { buildClean } from './build-clean.ts';
import { Consumer } from './consumer.ts';
import { publishedLibraries, readManifest } from './libraries.ts';
import { packagesOf } from './module-imports.ts';
import { readmeExample } from './readme-example.ts';
import { mustRun, run } from './run.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SIMULATOR = join(ROOT, 'tools/ec2-simulator');
const STEP_MS = 600_000;
const COMMAND = 'tagplane-ec2-simulator';

const manifest = readManifest(SIMULATOR);
const workspace = readManifest(ROOT);

let folder: string;
let consumer: Consumer;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tagplane-pack-')));
  const [built, tarballs] = [join(folder, 'build'), join(folder, 'tarballs')];
  for (const each of [built, tarballs]) await mkdir(each);
  const libraries = publishedLibraries(ROOT);
  const folders = await buildClean(ROOT, [...libraries, { folder: SIMULATOR, manifest }], built);
  const packed = folders.at(-1) ?? '';
  await mustRun(process.execPath, [join(ROOT, 'tools/bundle/bundle.mjs'), 'tools/ec2-simulator'], {
    cwd: ROOT,
    timeoutMs: STEP_MS,
  });
  for (const part of ['bin', 'dist'])
    await cp(join(SIMULATOR, part), join(packed, part), { recursive: true });
  const runtime = folders[libraries.findIndex((library) => library.manifest.name === '@tagplane/runtime')];
  const args = ['pack', '--pack-destination', tarballs, packed, runtime ?? ''];
  await mustRun('npm', args, { cwd: built, timeoutMs: STEP_MS });
  const names = await readdir(tarballs);
  const tarball = (name: string): string =>
    `file:${join(tarballs, names.find((each) => each.includes(name)) ?? '')}`;
  consumer = new Consumer(join(folder, 'consumer'));
  await consumer.create({
    '@tagplane/ec2-simulator': tarball('ec2-simulator'),
    '@tagplane/runtime': tarball('runtime'),
    '@types/node': workspace.devDependencies?.['@types/node'] ?? '',
  });
}, STEP_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function filesOf(): Promise<string[]> {
  const base = consumer.packageFolder(manifest.name);
  const entries = await readdir(base, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.slice(base.length).includes('node_modules'))
    .map((entry) => posix.join(entry.parentPath.slice(base.length + 1), entry.name));
}

const read = (file: string): Promise<string> =>
  readFile(join(consumer.packageFolder(manifest.name), file), 'utf8');

describe('the package of the simulator', () => {
  it('says what it is, with its licence and README', async () => {
    expect(manifest).toMatchObject({ version: workspace.version, license: 'Apache-2.0', type: 'module' });
    expect(manifest.private).toBeUndefined();
    expect(await read('LICENSE')).toBe(await readFile(join(ROOT, 'LICENSE'), 'utf8'));
    expect(await read('README.md')).toMatch(/^# @tagplane\/ec2-simulator\n\n[A-Z]/);
  });

  it('has no source, test or trace of the machine that built it', async () => {
    const files = await filesOf();
    expect(files).toEqual(expect.arrayContaining(['out-tsc/index.js', 'out-tsc/index.d.ts', 'dist/main.js']));
    expect(files.filter((file) => /^src\/|\.spec\.|testing\/|tsbuildinfo/.test(file))).toEqual([]);
    for (const file of files) {
      const text = await read(file);
      expect([file, text.includes(folder), text.includes(ROOT)]).toEqual([file, false, false]);
    }
  });

  it('imports only packages that it declares', async () => {
    const declared = Object.keys(manifest.dependencies ?? {}).sort();
    const used = new Set<string>();
    for (const file of await filesOf()) {
      if (!/^out-tsc\/.*\.(js|d\.ts)$/.test(file)) continue;
      for (const name of packagesOf(await read(file))) used.add(name);
    }
    expect([...used].sort()).toEqual(declared);
  });
});

describe('a project that installs it', () => {
  it(
    'runs the example of its README, which prints what the README says',
    async () => {
      const { code, output } = readmeExample(await readFile(join(SIMULATOR, 'README.md'), 'utf8'));
      await consumer.add('example', code);
      expect(await consumer.typeCheck()).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await consumer.start('example')).toEqual({ code: 0, stdout: output, stderr: '' });
    },
    STEP_MS,
  );

  it(
    'has its command, which serves boto3',
    async () => {
      const command = join(folder, 'consumer/node_modules/.bin', COMMAND);
      const version = await run(command, ['--version'], { cwd: folder, timeoutMs: STEP_MS });
      expect(version.stdout).toBe(`${COMMAND} ${workspace.version}\n`);
      await using simulator = await startProcess({
        name: COMMAND,
        command,
        args: ['--listen', '127.0.0.1:0', '--instances', '12', '--accounts', '2', '--role', 'R', '--quotas'],
        env: { NODE_OPTIONS: '' },
      });
      const url = await waitFor('it says where it listens', () =>
        /http:\/\/\S+/.exec(simulator.output.join('\n'))?.at(0),
      );
      const stdout = await mustRun('python3', ['-c', BOTO3], {
        cwd: folder,
        env: envOf(url),
        timeoutMs: STEP_MS,
      });
      expect(JSON.parse(stdout)).toEqual({ accounts: 2, pages: 3, throttled: 'RequestLimitExceeded' });
    },
    STEP_MS,
  );
});

function envOf(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_DEFAULT_REGION: 'eu-central-1',
  };
}

/** Three instances in each of two accounts and two regions. */
const BOTO3 = `
import boto3, json
from botocore.config import Config
from botocore.exceptions import ClientError
once = Config(retries={"total_max_attempts": 1})
accounts = [a["Id"] for a in boto3.client("organizations").list_accounts()["Accounts"]]
pages = 0
for account in accounts:
    arn = f"arn:aws:iam::{account}:role/R"
    c = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="boto3")["Credentials"]
    ec2 = boto3.client("ec2", aws_access_key_id=c["AccessKeyId"], config=once,
        aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    seen = [i["OwnerId"] for p in ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
        for i in [*p["Reservations"]]]
    assert set(seen) == {account}
ec2 = boto3.client("ec2", config=once)
ec2.run_instances(ImageId="ami-1", MinCount=9, MaxCount=9)
pages = len(list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})))
throttled = ""
try:
    for _ in range(200):
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)
except ClientError as error:
    throttled = error.response["Error"]["Code"]
print(json.dumps({"accounts": len(accounts), "pages": pages, "throttled": throttled}))
`;
