import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const create = (stdin: string, ...args: string[]) =>
  run(['create', '-', ...args, '--address', served.address], { stdin });

const GOOD = `
kind: server_info
metadata: {name: web-tier}
spec:
  match: {aws_instance: {account_id: '123456789012', region: eu-central-1, instance_id: i-0123456789abcdef0}}
  labels: {dynamic/tier: web, dynamic/__proto__: p, "dynamic/Straße 🚀": ""}
  ttl: 24h
---
kind: server_info
metadata: {name: db-tier}
spec: {match: {server_id: db-1}, labels: {}}
---
`;

describe('create', () => {
  it('sends every document, and says what became of each', async () => {
    expect(await create(GOOD)).toEqual({
      code: 0,
      stdout: 'server_info web-tier stored\nserver_info db-tier stored\n',
      stderr: '',
    });
    const web = auth.serverInfos.get('web-tier');
    expect(web?.match?.target).toMatchObject({
      case: 'awsInstance',
      value: { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' },
    });
    expect(Object.entries(web?.labels ?? {}).sort()).toEqual([
      ['dynamic/Straße 🚀', ''],
      ['dynamic/__proto__', 'p'],
      ['dynamic/tier', 'web'],
    ]);
    expect(auth.upserts[0]?.serverInfos.map(({ ttl }) => ttl?.seconds)).toEqual([86_400n, undefined]);
    expect(auth.upserts).toHaveLength(1);
  });

  it('refuses a name that exists; --force replaces it', async () => {
    await create(GOOD);
    const again = await create(GOOD);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('tagctl: server_info web-tier: it exists already; --force replaces it\n');
    const forced = await create(GOOD, '-f');
    expect(forced.code).toBe(0);
    expect(auth.upserts.map(({ createOnly }) => createOnly)).toEqual([true, true, false]);
  });

  it('says in a document what became of each', async () => {
    auth.denied.add('db-tier');
    const { code, stdout, stderr } = await create(GOOD, '--format', 'json');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'server_info', name: 'web-tier', status: 'ACCEPTED', revision: 1 },
      { kind: 'server_info', name: 'db-tier', status: 'DENIED', reason: 'not yours' },
    ]);
  });

  it('takes JSON, a list too, with escapes beyond the basic plane', async () => {
    const item = (name: string) => ({
      kind: 'server_info',
      metadata: { name },
      spec: { match: { server_id: name }, labels: { 'dynamic/k': '🚀"\\' } },
    });
    const list = JSON.stringify([item('a'), item('b')], null, '\t').replace('🚀', '\\ud83d\\ude80');
    expect(await create(list)).toMatchObject({ code: 0, stderr: '' });
    expect(auth.serverInfos.get('a')?.labels).toEqual({ 'dynamic/k': '🚀"\\' });
    expect([...auth.serverInfos.keys()]).toEqual(['a', 'b']);
  });

  it('sends more than fits one request in several', async () => {
    const documents = Array.from(
      { length: 1_200 },
      (_, index) =>
        `{kind: server_info, metadata: {name: n${index}}, spec: {match: {server_id: s}, labels: {}}}`,
    );
    expect(await create(documents.join('\n---\n'))).toMatchObject({ code: 0 });
    expect(auth.upserts.map(({ serverInfos }) => serverInfos.length)).toEqual([1_000, 200]);
  });
});

describe('a bad file', () => {
  const spec = 'spec: {match: {server_id: a}, labels: {}}';
  const named = 'kind: server_info\nmetadata: {name: a}';

  it.each([
    ['', 'there is no document in it'],
    ['- - x', 'document 1, item 1: expected keys and values, got a list'],
    ['just text', 'document 1: expected keys and values, got "just text"'],
    [
      `kind: node\nmetadata: {name: a}\n${spec}`,
      'document 1: kind: expected server_info or role, got "node"',
    ],
    [`${named}\n${spec}\nextra: 1`, 'document 1: extra: unknown key'],
    [`${named}\n${spec}\n__proto__: 1`, 'document 1: __proto__: unknown key'],
    [`${named}\n`, 'document 1: spec: required'],
    [
      `kind: server_info\nmetadata: {name: aws-1}\n${spec}`,
      /document 1: metadata.name: .*and not with "aws-"/,
    ],
    [`kind: server_info\nmetadata: {name: 5}\n${spec}`, 'document 1: metadata.name: expected text, got the number 5; put it in quotes if it is text'], // prettier-ignore
    [`${named}\nspec: {match: {}, labels: {}}`, 'document 1: spec.match: expected exactly one of aws_instance, server_id and selector'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a, aws_instance: {account_id: '1', region: eu-central-1, instance_id: i-01234567}}, labels: {}}`, 'document 1: spec.match.aws_instance.account_id: expected twelve digits, in quotes'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a, selectors: x}, labels: {}}`, 'document 1: spec.match.selectors: unknown key'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {dynamic/port: 80}}`, 'document 1: spec.labels["dynamic/port"]: expected text, got the number 80; put it in quotes if it is text'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {aws/Name: x}}`, 'document 1: spec.labels["aws/Name"]: an operator\'s labels begin with dynamic/'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {1: x}}`, 'document 1: spec.labels: the key 1 is no text; put it in quotes'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: [x]}`, 'document 1: spec.labels: expected keys and values, got a list'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {dynamic/x: ${'v'.repeat(257)}}}`, /document 1: spec.labels\["dynamic\/x"\]: the value .* is longer than 256 characters/], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {${Array.from({ length: 51 }, (_, i) => `dynamic/${i}: x`).join(', ')}}}`, 'document 1: spec: 51 labels, but dynamic/ holds at most 50'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {}, ttl: 0s}`, 'document 1: spec.ttl: expected between 1s and 3650d'], // prettier-ignore
    [`${named}\nspec: {match: {server_id: a}, labels: {}, ttl: soon}`, 'document 1: spec.ttl: expected a duration such as 90s or 5m'], // prettier-ignore
    [
      `${named}\n${spec}\n---\n${named}\n${spec}`,
      'document 2: metadata.name: a is the name of document 1 too',
    ],
    [
      `${named}\n${spec}\n---\n${named}\nspec: [`,
      /^tagctl: standard input: document 2: line 7, column \d+: /,
    ],
    [
      `kind: server_info\nkind: server_info\n${spec}`,
      /document 1: line 2, column 1: Map keys must be unique/,
    ],
    [`a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]`, /document 1: Excessive alias count/], // prettier-ignore
  ])('%j', async (text, expected) => {
    const { code, stdout, stderr } = await create(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof expected === 'string')
      expect(stderr.split('\n')).toContain(`tagctl: standard input: ${expected}`);
    else expect(stderr).toMatch(expected);
    expect(auth.upserts).toHaveLength(0);
  });

  it('sends nothing when only the last document is bad, and names every problem up to a bound', async () => {
    const bad = Array.from({ length: 30 }, () => 'kind: server_info\nmetadata: {name: ok, x: 1}');
    const { code, stderr } = await create([GOOD, ...bad].join('\n---\n'));
    expect(code).toBe(2);
    expect(stderr.split('\n')).toHaveLength(22);
    expect(stderr).toContain('tagctl: standard input: document 4: metadata.x: unknown key\n');
    expect(stderr).toContain('standard input: and 40 more');
    expect(auth.upserts).toHaveLength(0);
  });
});

describe('the file itself', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tagctl-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('is read, or named with the reason why not', async () => {
    const file = join(folder, 'infos.yaml');
    await writeFile(file, GOOD);
    expect(await run(['create', file, '--address', served.address])).toMatchObject({ code: 0 });
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await run(['create', file])).toMatchObject({
      code: 2,
      stderr: `tagctl: cannot read ${file}: it is no UTF-8 text\n`,
    });
    expect(await run(['create', folder])).toMatchObject({
      code: 2,
      stderr: `tagctl: cannot read ${folder}: it is a directory\n`,
    });
    const missing = join(folder, 'none');
    expect(await run(['create', missing])).toMatchObject({
      code: 2,
      stderr: `tagctl: cannot read ${missing}: there is no such file\n`,
    });
  });
});
