import { CreateTagsCommand, DeleteTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import type { SimQueue } from '../sqs/sim-queue.ts';
import { clientOptions } from '../testing/aws.ts';
import type { EventFeedOptions } from './event-feed.ts';

const REGION = 'eu-central-1';

interface Event {
  readonly id: string;
  readonly source: string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
  readonly 'detail-type': string;
}

let simulator: RunningSimulator;
let queue: SimQueue;
let id: string;

beforeAll(async () => {
  simulator = await createEc2Simulator({ instances: 4, transitionMs: 50 }).listen();
});
afterAll(async () => {
  await simulator.close();
});
beforeEach(() => {
  simulator.fleet.reset();
  id = simulator.fleet.list({ region: REGION })[0]?.id ?? '';
});

function start(options: Partial<EventFeedOptions> = {}): void {
  queue = simulator.events.start({ queue: { name: 'events' }, delayMs: 10, ...options });
}

/** What is in the queue once nothing is on its way any more. */
async function events(): Promise<Event[]> {
  while (simulator.events.report().pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return queue.bodies().map((body) => JSON.parse(body) as Event);
}

function change(set: Record<string, string>, unset: string[] = []): void {
  simulator.fleet.changeTags({ region: REGION, id }, { set: new Map(Object.entries(set)), unset });
}

describe('a change of tags', () => {
  it('by the API is an event of tags, and one of CloudTrail', async () => {
    start();
    const ec2 = new EC2Client(clientOptions(simulator));
    const Resources = [id];
    await ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'env', Value: 'events' }] }));
    await ec2.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: 'env' }] }));
    ec2.destroy();
    const all = await events();
    expect(all).toHaveLength(4);
    const tags = all.filter(({ source }) => source === 'aws.tag');
    expect(tags.map(({ detail }) => [detail['changed-tag-keys'], detail['version']])).toEqual([
      [['env'], 1],
      [['env'], 2],
    ]);
    expect(tags[0]).toMatchObject({
      'detail-type': 'Tag Change on Resource',
      account: '123456789012',
      region: REGION,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      resources: [`arn:aws:ec2:${REGION}:123456789012:instance/${id}`],
      detail: { service: 'ec2', 'resource-type': 'instance', tags: { env: 'events' } },
    });
    expect(Object.hasOwn(tags[1]?.detail['tags'] as object, 'env')).toBe(false);
    const calls = all.filter(({ source }) => source === 'aws.ec2');
    expect(calls.map(({ detail }) => [detail['eventName'], detail['requestParameters']])).toEqual(
      [
        ['CreateTags', { key: 'env', value: 'events' }],
        ['DeleteTags', { key: 'env' }],
      ].map(([name, item]) => [
        name,
        { resourcesSet: { items: [{ resourceId: id }] }, tagSet: { items: [item] } },
      ]),
    );
    expect(new Set(all.map((event) => event.id)).size).toBe(4);
  });

  it('from outside is one of tags alone, and none when nothing has changed', async () => {
    start();
    change({ env: 'events' });
    change({ env: 'events' });
    expect((await events()).map(({ source }) => source)).toEqual(['aws.tag']);
  });
});

describe('a change of state', () => {
  it('is an event each for the state that leads there and the one that comes of it', async () => {
    start({ kinds: ['state'] });
    simulator.fleet.terminate({ region: REGION, id });
    const states = (await events()).map(({ detail }) => [detail['instance-id'], detail['state']]);
    expect(states).toEqual([
      [id, 'shutting-down'],
      [id, 'terminated'],
    ]);
  });

  it('that does not come about is none', async () => {
    start({ kinds: ['state'] });
    simulator.fleet.terminate({ region: REGION, id });
    simulator.fleet.setState({ region: REGION, id }, 'stopped');
    expect((await events()).map(({ detail }) => detail['state'])).toEqual(['stopped']);
  });
});

describe('what can go wrong', () => {
  const many = (): void => {
    for (let n = 0; n < 40; n += 1) change({ n: `${n}` });
  };

  it('is lost, comes twice, and in another order', async () => {
    start({ drop: 0.3, duplicate: 0.3, jitterMs: 100 });
    many();
    const all = await events();
    const { sent, dropped, duplicated } = simulator.events.report();
    expect(all).toHaveLength(sent);
    expect([dropped > 0, duplicated > 0, 40 - dropped + duplicated]).toEqual([true, true, sent]);
    expect(new Set(all.map((event) => event.id)).size).toBe(40 - dropped);
    const versions = all.map(({ detail }) => Number(detail['version']));
    expect(versions).not.toEqual(versions.toSorted((a, b) => a - b));
  });

  it('goes the same way in every run', async () => {
    const lost: number[] = [];
    for (let run = 0; run < 2; run += 1) {
      simulator.fleet.reset();
      start({ drop: 0.3 });
      many();
      await events();
      lost.push(simulator.events.report().dropped);
    }
    expect(lost[0]).toBe(lost[1]);
  });

  it('is foreign or malformed', () => {
    start();
    simulator.events.sendForeign(3);
    simulator.events.sendMalformed(6);
    const bodies = queue.bodies();
    expect(bodies).toHaveLength(9);
    expect(bodies.slice(0, 3).map((body) => (JSON.parse(body) as Event).source)).toEqual([
      'aws.s3',
      'aws.ec2',
      'aws.ec2',
    ]);
    expect(new Set(bodies.slice(3)).size).toBe(6);
  });
});

describe('the control API', () => {
  const control = async (method: string, path: string, body?: object): Promise<unknown> => {
    const init = { method, ...(body && { body: JSON.stringify(body) }) };
    const answer = await fetch(`${simulator.url}/_control/${path}`, init);
    return answer.json();
  };

  it('starts, tells and stops', async () => {
    const put = await control('PUT', 'events', { queue: 'events', delay_ms: 0, kinds: ['tag'], drop: 0 });
    expect(put).toEqual({ queue: { region: REGION, account: '123456789012', name: 'events' } });
    const [made] = simulator.queues.all();
    if (made === undefined) throw new Error('a queue was made');
    queue = made;
    change({ env: 'control' });
    await events();
    await control('POST', 'events/foreign', { count: 2 });
    await control('POST', 'events/malformed', {});
    expect(await control('GET', 'events')).toEqual({ sent: 1, dropped: 0, duplicated: 0, pending: 0 });
    expect(await control('GET', 'sqs/queues')).toMatchObject({ queues: [{ name: 'events', visible: 4 }] });
    await control('DELETE', 'events');
    change({ env: 'unseen' });
    expect(queue.bodies()).toHaveLength(4);
  });

  it.each([
    {},
    { queue: 7 },
    { queue: 'q', kinds: ['rain'] },
    { queue: 'q', drop: 2 },
    { queue: 'no queue' },
  ])('refuses %j', async (body) => {
    expect(await control('PUT', 'events', body)).toMatchObject({ error: {} });
  });
});
