import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandParameters, installScript, installValues } from './script.ts';
import type { InstallValues } from './script.ts';
import { enrollSettings } from './testing/settings.ts';

const DOCUMENT = new URL('../../../../deploy/enroll/ssm-document.json', import.meta.url);

interface SsmDocument {
  readonly schemaVersion: string;
  readonly parameters: Readonly<Record<keyof InstallValues, { type: string; allowedPattern: string }>>;
  readonly mainSteps: readonly { inputs: { runCommand: string[]; timeoutSeconds: string } }[];
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-script-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the script with an installer that prints its arguments, a line each, and the token's file. */
async function runScript(
  more: Partial<InstallValues>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const installer =
    'for each in "$@"; do echo "$each"; done\nfor each; do case $each in */token) cat "$each"; esac; done\n';
  const file = join(folder, 'install.sh');
  await writeFile(file, installer);
  const values = {
    ...installValues(enrollSettings(), 'secret-token'),
    InstallerUrl: `file://${file}`,
    InstallerSha256: createHash('sha256').update(installer).digest('hex'),
    ...more,
  };
  const script = join(folder, 'script');
  await writeFile(script, installScript(values).join('\n'));
  return await new Promise((resolve) => {
    execFile('sh', [script], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('installScript', () => {
  it('verifies the installer, then runs it with all there is to know; the token goes by a file', async () => {
    const { code, stdout } = await runScript({});
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    const file = lines.at(-2) ?? '';
    expect(lines).toEqual([
      ...['--tarball', 'https://downloads.test/tagplane-agent-1.2.3-linux-{arch}.tar.gz'],
      ...['--auth', 'auth.test:7420,[2001:db8::1]:7420', '--ca-pin', `sha256:${'5'.repeat(64)}`],
      ...['--sha256-x64', 'b'.repeat(64), '--sha256-arm64', 'c'.repeat(64), '--join', 'token'],
      ...['--token-file', file, 'secret-token'],
    ]);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('runs nothing that is not what it should be', async () => {
    const { code, stdout, stderr } = await runScript({ InstallerSha256: 'd'.repeat(64) });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('the installer is not what it should be');
  });

  it('gives no token file where there is no token', async () => {
    const { stdout } = await runScript({ JoinMethod: 'iam', JoinToken: '' });
    expect(stdout).toContain('--join\niam');
    expect(stdout).not.toContain('--token-file');
  });

  it('refuses to write what could end a quotation', () => {
    const values = installValues(enrollSettings(), 'secret');
    for (const JoinToken of ["a'b", 'a\\b', 'a\nb']) {
      expect(() => installScript({ ...values, JoinToken })).toThrow('JoinToken cannot be written');
    }
  });
});

describe('commandParameters', () => {
  it.each(['AWS-RunShellScript', 'arn:aws:ssm:eu-central-1::document/AWS-RunShellScript'])(
    'are the script for AWS’s own document: %s',
    (document) => {
      const settings = enrollSettings({ document });
      expect(commandParameters(settings, 't')).toEqual({
        commands: installScript(installValues(settings, 't')),
        executionTimeout: ['420'],
      });
    },
  );

  it('are the values for any other document', () => {
    const parameters = commandParameters(
      enrollSettings({ document: 'Tagplane-InstallAgent', join: 'iam' }),
      '',
    );
    expect(parameters['JoinMethod']).toEqual(['iam']);
    expect(parameters['JoinToken']).toEqual(['']);
    expect(parameters['commands']).toBeUndefined();
  });
});

describe('deploy/enroll/ssm-document.json', () => {
  it('runs the same script, with the parameters that are sent', async () => {
    const document = JSON.parse(await readFile(DOCUMENT, 'utf8')) as SsmDocument;
    const values = installValues(enrollSettings(), 'Abc_123-x');
    const names = Object.keys(values) as (keyof InstallValues)[];
    const placeholders = Object.fromEntries(
      names.map((name) => [name, `{{ ${name} }}`]),
    ) as unknown as InstallValues;
    expect(document.schemaVersion).toBe('2.2');
    expect(document.mainSteps.map(({ inputs }) => inputs.runCommand)).toEqual([installScript(placeholders)]);
    expect(document.mainSteps[0]?.inputs.timeoutSeconds).toBe('420');
    expect(Object.keys(document.parameters).toSorted()).toEqual(names.toSorted());
  });

  it.each<[keyof InstallValues, readonly string[]]>([
    ['InstallerUrl', ["https://x/'$(reboot)'", 'ftp://x/y', '']],
    ['InstallerSha256', ['', 'a'.repeat(63), "'".repeat(64)]],
    ['AgentUrl', ["https://x/'"]],
    ['AgentSha256X64', ['x']],
    ['AgentSha256Arm64', ['x']],
    ['AuthAddresses', ["a:1'", 'a', '']],
    ['CaPins', ['sha256:1', '']],
    ['JoinMethod', ['luck', '']],
    ['JoinToken', ["'", ' ', 'a\nb']],
  ])(
    'lets in what discovery sends as %s, and nothing that means anything to a shell',
    async (name, refused) => {
      const document = JSON.parse(await readFile(DOCUMENT, 'utf8')) as SsmDocument;
      const pattern = new RegExp(document.parameters[name].allowedPattern);
      expect(pattern.test(installValues(enrollSettings(), 'Abc_123-x')[name])).toBe(true);
      for (const text of refused) expect([text, pattern.test(text)]).toEqual([text, false]);
    },
  );
});
