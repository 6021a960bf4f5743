import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@tagplane/harness';
import { allFences, readDocument } from './markdown.ts';
import type { Fence } from './markdown.ts';
import type { OperatorsWorld, TagctlRun } from './operators-world.ts';
import { startOperatorsWorld } from './operators-world.ts';
import { shellWords } from './shell-words.ts';

// Four processes, and half a hundred commands, on a busy machine.
jest.setTimeout(300_000);

let world: OperatorsWorld;
let folder: string;
let fences: Fence[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-docs-'));
  fences = allFences((await readDocument('docs/operators.md')).text);
  world = await startOperatorsWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Hold ids are made as it goes: the one that waits now stands for the one in the document. */
async function realWords(words: readonly string[]): Promise<string[]> {
  const inFolder = words.map((word) => (word.endsWith('.yaml') ? join(folder, word) : word));
  const [group, command] = words;
  if (group !== 'guard' || command === 'ls') return inFolder;
  const { stdout } = await world.tagctl(['guard', 'ls', '--format', 'json']);
  const holds = JSON.parse(stdout) as { readonly id: string; readonly state: string }[];
  return [group, command ?? '', holds.find(({ state }) => state === 'HELD')?.id ?? 'none'];
}

/** What a command does, beside what the document says that it does. */
async function runLine(line: string): Promise<{ readonly run: TagctlRun; readonly expected: number }> {
  const [program, ...words] = shellWords(line);
  expect(program).toBe('tagctl');
  const expected = Number(/# exits (\d)$/.exec(line)?.[1] ?? 0);
  return { run: await world.tagctl(await realWords(words)), expected };
}

/** `…` in a document stands for any text. */
function patternOf(text: string): RegExp {
  const parts = text.trimEnd().split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)); // prettier-ignore
  return new RegExp(`^${parts.join('.*')}$`);
}

describe('docs/operators.md', () => {
  it('shows what happens when its examples are run from its beginning to its end', async () => {
    let last = '';
    let commands = 0;
    for (const { language, text } of fences) {
      if (language === 'yaml') {
        const [, name = ''] = /^# (\S+\.yaml)\n/.exec(text) ?? [];
        await writeFile(join(folder, name), text);
      } else if (language === 'text') {
        expect(last.trimEnd()).toMatch(patternOf(text));
      } else {
        for (const line of text.trimEnd().split('\n')) {
          const { run, expected } = await runLine(line);
          expect({ line, code: run.code, stderr: expected === 0 ? run.stderr : '' }).toEqual({
            line,
            code: expected,
            stderr: '',
          });
          last = run.stdout;
          commands += 1;
        }
      }
    }
    expect(commands).toBeGreaterThan(30);
  });
});

describe('tagctl access check', () => {
  const ROLES = `
kind: role
metadata: {name: node-staging}
spec: {allow: [{logins: [deploy, '{{traits.logins}}'], node_labels: {aws/env: staging}}]}
---
kind: role
metadata: {name: node-never}
spec: {deny: [{logins: [root], node_labels: {dynamic/none: 'yes'}}]}
`;

  beforeAll(async () => {
    const file = join(folder, 'node-roles.yaml');
    await writeFile(file, ROLES);
    expect(await world.tagctl(['create', file])).toMatchObject({ code: 0 });
    await waitFor('the agents have the roles', async () => {
      const { granted_by: by } = (await world.check('db-1', asked('deploy', 'node-staging'))) as Decision;
      return by.length > 0 || undefined;
    });
  });

  it.each([
    ['db-1', asked('deploy', 'node-staging')],
    ['db-1', asked('root', 'node-staging', '--trait', 'logins=root')],
    ['db-1', asked('root', 'node-staging,node-never', '--trait', 'logins=root')],
    ['web-1', asked('deploy', 'node-staging')],
    ['web-1', asked('deploy', 'node-none')],
  ])('answers as the node %s does to %j', async (node, words) => {
    const { stdout } = await world.tagctl(['access', 'check', '--node', node, ...words, '--format', 'json']);
    const [said, byNode] = [JSON.parse(stdout) as Decision, (await world.check(node, words)) as Decision];
    expect(timeless(said)).toEqual(timeless(byNode));
  });
});

interface Decision {
  readonly granted_by: readonly string[];
}

function asked(login: string, roles: string, ...more: readonly string[]): string[] {
  return ['--login', login, '--roles', roles, ...more];
}

/** Without ages, which grow between two questions. */
function timeless(decision: Decision): unknown {
  return JSON.parse(
    JSON.stringify(decision, (key, value: unknown) =>
      ['age_ms', 'remaining_ms', 'text'].includes(key) ? undefined : value,
    ),
  ) as unknown;
}
