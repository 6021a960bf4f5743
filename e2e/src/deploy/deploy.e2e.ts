import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Linters } from './linters.ts';
import { installLinters, toEnd } from './linters.ts';

jest.setTimeout(600_000);

const AWS = fileURLToPath(new URL('../../../deploy/aws', import.meta.url));
const PARSER = fileURLToPath(new URL('./parse_hcl.py', import.meta.url));
const MODULES = ['hub', 'member', 'region'].map((name) => join(AWS, 'terraform', name));

let linters: Linters;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-deploy-'));
  linters = await installLinters();
}, 900_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await linters[Symbol.asyncDispose]();
});

describe('CloudFormation', () => {
  it('templates have nothing that cfn-lint objects to', async () => {
    const templates = (await readdir(join(AWS, 'cloudformation'))).map((name) =>
      join(AWS, 'cloudformation', name),
    );
    expect(templates.length).toBe(3);
    expect(await linters.run('cfn-lint', ['--non-zero-exit-code', 'informational', ...templates])).toEqual({
      code: 0,
      output: '',
    });
  });

  it('templates would be objected to if they had something wrong', async () => {
    const text = await readFile(join(AWS, 'cloudformation', 'hub.yaml'), 'utf8');
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, text.replace('MessageRetentionPeriod', 'MessageRetention'));
    const { code, output } = await linters.run('cfn-lint', [broken]);
    expect(code).not.toBe(0);
    expect(output).toContain('MessageRetention');
  });
});

describe('Terraform', () => {
  it('modules parse, and refer only to what they have', async () => {
    expect(await linters.run('python', [PARSER, ...MODULES])).toEqual({ code: 0, output: '\n' });
  });

  it('modules would be objected to if they did not', async () => {
    const module = join(folder, 'module');
    await mkdir(module);
    await writeFile(join(module, 'main.tf'), 'resource "aws_sqs_queue" "a" {\n  name = var.nowhere\n}\n');
    const undeclared = await linters.run('python', [PARSER, module]);
    expect(undeclared).toEqual({ code: 1, output: `${module}: var.nowhere is not declared\n` });
    await writeFile(join(module, 'main.tf'), 'resource "aws_sqs_queue" {{\n');
    expect((await linters.run('python', [PARSER, module])).code).toBe(1);
  });

  it('modules are formatted as Terraform formats them, where there is one', async () => {
    const found = await toEnd('terraform', ['version']).catch(() => undefined);
    if (found?.code !== 0) return;
    const args = ['fmt', '-check', '-diff', '-recursive', join(AWS, 'terraform')];
    expect((await toEnd('terraform', args)).code).toBe(0);
  });
});

describe('policies', () => {
  it('that stand by themselves are ones that parliament takes', async () => {
    const names = ['discovery', 'member', 'organization', 'enrolment', 'forward'];
    for (const name of names) {
      const text = await readFile(join(AWS, 'policies', `${name}.json`), 'utf8');
      const filled = await alone(name, fillIn(text));
      expect([name, await linters.run('parliament', ['--directory', filled])]).toEqual([
        name,
        { code: 0, output: '' },
      ]);
    }
  });

  it('would be objected to if they had an action that is none', async () => {
    const text = await readFile(join(AWS, 'policies', 'member.json'), 'utf8');
    const broken = await alone('broken', text.replace('ec2:DescribeRegions', 'ec2:DescribeRegion'));
    const { code, output } = await linters.run('parliament', ['--directory', broken]);
    expect(code).not.toBe(0);
    expect(output).toContain('Unknown action ec2:DescribeRegion');
  });
});

/** A folder with nothing but this policy; from a file parliament does not read when it is given no terminal. */
async function alone(name: string, text: string): Promise<string> {
  const path = join(folder, `policy-${name}`);
  await mkdir(path);
  await writeFile(join(path, `${name}.json`), text);
  return path;
}

/** Some value for each of a policy's variables. */
function fillIn(text: string): string {
  const values: Readonly<Record<string, string>> = {
    partition: 'aws',
    member_role_name: 'TagplaneDiscovery',
    document_name: 'AWS-RunShellScript',
    queue_arn: 'arn:aws:sqs:eu-central-1:123456789012:tagplane-discovery',
    bus_arn: 'arn:aws:events:eu-central-1:123456789012:event-bus/tagplane-discovery',
  };
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? 'unknown');
}
