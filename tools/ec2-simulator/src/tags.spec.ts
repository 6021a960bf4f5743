import { CreateTagsCommand, DeleteTagsCommand, DescribeTagsCommand } from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe as suite, expect, it } from '@jest/globals';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';
import { clientOf, describe, refusal, tagsOf } from './testing/client.ts';

const REGION = 'eu-central-1';

suite('tags through the AWS SDK', () => {
  let simulator: RunningSimulator;
  let client: EC2Client;
  let id: string;
  let other: string;
  beforeEach(async () => {
    simulator = await createEc2Simulator({ instances: 2, regions: [REGION] }).listen();
    client = clientOf(simulator.url);
    [id = '', other = ''] = simulator.fleet.list({ region: REGION }).map((view) => view.id);
    for (const each of [id, other]) simulator.fleet.replaceTags({ region: REGION, id: each }, new Map());
  });
  afterEach(async () => {
    client.destroy();
    await simulator.close();
  });

  const create = (tags: Iterable<readonly [string, string]>, Resources = [id]) =>
    client.send(
      new CreateTagsCommand({ Resources, Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }),
    );
  const tags = async (): Promise<Map<string, string>> =>
    tagsOf((await describe(client, { InstanceIds: [id] })).instances[0]);

  it('carries any tag exactly', async () => {
    const nasty = new Map([
      ['__proto__', 'polluted'],
      ['constructor', 'toString'],
      ['Patch Group', ' leading and trailing '],
      ['kubernetes.io/role', 'a/b:c=d+e-@f'],
      ['<tag attr="x">&amp;', ']]>&lt;\'"'],
      ['Größe 値 😀👩‍👩‍👧', 'e\u0301 é \u202e \u{10ffff}'],
      ['cr\rlf', 'a\r\nb\tc'],
      ['empty', ''],
      ['blank', '   '],
      ['k'.repeat(128), 'v'.repeat(256)],
      ['😀'.repeat(128), '😀'.repeat(256)],
      ['%41+%2B&=;', '%00 100%'],
      ['\u00a0\u3000', '\ufeff'],
    ]);
    await create(nasty);
    expect(await tags()).toEqual(nasty);
    expect(simulator.fleet.get({ region: REGION, id }).tags).toEqual(nasty);
  });

  it('sets tags on several resources, over what is there, or on none', async () => {
    await create([['a', '1']], [id, other]);
    await create([
      ['a', '2'],
      ['b', ''],
    ]);
    expect(await tags()).toEqual(
      new Map([
        ['a', '2'],
        ['b', ''],
      ]),
    );
    const missing = create([['a', '3']], [id, 'i-00000000000000000']);
    expect(await refusal(missing)).toEqual({ name: 'InvalidInstanceID.NotFound', status: 400 });
    expect((await tags()).get('a')).toBe('2');
  });

  it.each([
    ['a reserved key', 'aws:name', 'x'],
    ['a reserved key in capitals', 'AWS:name', 'x'],
    ['too long a key', 'k'.repeat(129), 'x'],
    ['too long a key of wide characters', '😀'.repeat(129), 'x'],
    ['too long a value', 'k', 'v'.repeat(257)],
    ['an empty key', '', 'x'],
    ['what XML cannot carry', 'k', 'bell\u0007'],
  ])('refuses %s', async (_, key, value) => {
    expect(await refusal(create([[key, value]]))).toEqual({ name: 'InvalidParameterValue', status: 400 });
    expect(await tags()).toEqual(new Map());
  });

  it('refuses a fifty-first tag, all or nothing, and counts none of AWS', async () => {
    const fifty = Array.from({ length: 50 }, (_, i): [string, string] => [`k${i}`, 'v']);
    const aws: [string, string] = ['aws:autoscaling:groupName', 'g'];
    simulator.fleet.replaceTags({ region: REGION, id }, new Map([aws]));
    await create(fifty);
    expect(await tags()).toEqual(new Map([aws, ...fifty]));
    await create([['k7', 'changed']]);
    const limit = { name: 'TagLimitExceeded', status: 400 };
    expect(
      await refusal(
        create([
          ['k8', 'changed'],
          ['k50', 'v'],
        ]),
      ),
    ).toEqual(limit);
    expect((await tags()).get('k8')).toBe('v');
  });

  it('refuses a key twice in one request', async () => {
    expect(
      (
        await refusal(
          create([
            ['a', '1'],
            ['a', '2'],
          ]),
        )
      ).name,
    ).toBe('InvalidParameterValue');
  });

  it('deletes by key, by key and value, or all that are the user’s own', async () => {
    const aws: [string, string] = ['aws:cloudformation:stack-name', 's'];
    const set = new Map([aws, ['a', '1'], ['b', ''], ['c', '3'], ['d', '4'], ['__proto__', '5']]);
    simulator.fleet.replaceTags({ region: REGION, id }, set);
    const remove = (Tags?: { Key: string; Value?: string }[]) =>
      client.send(new DeleteTagsCommand({ Resources: [id], Tags }));
    await remove([{ Key: 'a' }, { Key: 'c', Value: 'not this' }, { Key: 'nothing' }]);
    expect([...(await tags()).keys()]).toEqual([aws[0], 'b', 'c', 'd', '__proto__']);
    await remove([{ Key: 'b', Value: '' }, { Key: 'd', Value: '' }, { Key: '__proto__' }]);
    expect([...(await tags()).keys()]).toEqual([aws[0], 'c', 'd']);
    expect((await refusal(remove([{ Key: aws[0] }]))).name).toBe('InvalidParameterValue');
    await remove();
    expect(await tags()).toEqual(new Map([aws]));
  });

  it('describes tags by page and filter', async () => {
    await create(
      Array.from({ length: 12 }, (_, i): [string, string] => [`k${i}`, `v${i % 2}`]),
      [id, other],
    );
    const found: string[] = [];
    let NextToken: string | undefined;
    let pages = 0;
    do {
      const page = await client.send(
        new DescribeTagsCommand({ MaxResults: 5, ...(NextToken === undefined ? {} : { NextToken }) }),
      );
      found.push(...(page.Tags ?? []).map(({ ResourceId = '', Key = '' }) => `${ResourceId} ${Key}`));
      NextToken = page.NextToken;
      pages += 1;
    } while (NextToken !== undefined);
    expect(new Set(found).size).toBe(24);
    expect(found).toHaveLength(24);
    expect(pages).toBe(5);
    const { Tags = [] } = await client.send(
      new DescribeTagsCommand({
        Filters: [
          { Name: 'resource-id', Values: [other] },
          { Name: 'resource-type', Values: ['instance'] },
          { Name: 'value', Values: ['v0'] },
        ],
      }),
    );
    expect(Tags.map(({ Key }) => Key).sort()).toEqual(['k0', 'k10', 'k2', 'k4', 'k6', 'k8']);
  });
});
