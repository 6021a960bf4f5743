import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './markdown.ts';

/** IAM names an action after its call, but for the batches of SQS. */
const ACTIONS: Readonly<Record<string, string>> = {
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
};

/**
 * The IAM actions of the calls that the programs and libraries make through the AWS SDK, told by the classes and
 * paginators that they import.
 */
export async function calledActions(): Promise<Set<string>> {
  const actions = new Set<string>();
  for (const text of await sources()) {
    const imports = text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([a-z0-9]+)'/g);
    for (const [, names = '', service = ''] of imports) {
      for (const name of names.split(',').map((each) => each.trim())) {
        const [, operation] = /^(\w+)Command$/.exec(name) ?? /^paginate(\w+)$/.exec(name) ?? [];
        if (operation === undefined) continue;
        const action = `${service}:${operation}`;
        actions.add(ACTIONS[action] ?? action);
      }
    }
  }
  return actions;
}

async function sources(): Promise<string[]> {
  const texts: string[] = [];
  for (const top of ['apps', 'libs']) {
    for (const path of await readdir(join(ROOT, top), { recursive: true })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(path) || /\.spec\.ts$|\/testing\//.test(path)) continue;
      texts.push(await readFile(join(ROOT, top, path), 'utf8'));
    }
  }
  return texts;
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

export interface PolicyDocument {
  readonly Statement: readonly Statement[];
}

const AWS = join(ROOT, 'deploy/aws');

/** The files of a folder of `deploy/aws` by name without `.json`. */
export async function jsonFiles(folder: string): Promise<Map<string, unknown>> {
  const files = new Map<string, unknown>();
  for (const file of (await readdir(join(AWS, folder))).sort()) {
    files.set(file.replace(/\.json$/, ''), JSON.parse(await readFile(join(AWS, folder, file), 'utf8')));
  }
  return files;
}

/** All text of a Terraform module. */
export async function terraformModule(name: string): Promise<string> {
  const folder = join(AWS, 'terraform', name);
  const texts = (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

export async function template(name: string): Promise<string> {
  return await readFile(join(AWS, 'cloudformation', `${name}.yaml`), 'utf8');
}

export function actionsOf(policy: PolicyDocument): string[] {
  return policy.Statement.flatMap(({ Action }) => Action);
}
