import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { eventFields } from './config.ts';

const schema = z.strictObject(eventFields);
const QUEUE = 'https://sqs.eu-central-1.amazonaws.com/123456789012/tagplane';
const ROLE = 'arn:aws:iam::123456789012:role/TagplaneEvents';

describe('events in the configuration', () => {
  it.each([
    [QUEUE, undefined, 'eu-central-1'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/tagplane', undefined, 'cn-north-1'],
    ['https://sqs.us-gov-west-1.amazonaws.com/123456789012/tagplane', undefined, 'us-gov-west-1'],
    ['https://sqs.eu-west-1.vpce-1.amazonaws.com/123456789012/tagplane', undefined, 'eu-west-1'],
    ['http://127.0.0.1:7400/123456789012/tagplane', 'us-east-1', 'us-east-1'],
    [QUEUE, 'us-east-1', 'us-east-1'],
  ])('%s in %s is one of %s', (queue, region, expected) => {
    const { events } = schema.parse({ events: [region === undefined ? { queue } : { queue, region }] });
    expect(events).toEqual([{ queue, region: expected, pollers: 2 }]);
  });

  it('are none unless there are some', () => {
    expect(schema.parse({})).toEqual({ events: [] });
  });

  it('may have a role', () => {
    const role = { role_arn: ROLE, external_id: 'tagplane' };
    const { events } = schema.parse({ events: [{ queue: QUEUE, assume_role: role, pollers: 1 }] });
    expect(events).toMatchObject([{ assume_role: { ...role, chain: [] }, pollers: 1 }]);
  });

  it.each<[object, string]>([
    [{ queue: 'tagplane' }, 'events.0.queue'],
    [{ queue: 'ftp://sqs.eu-central-1.amazonaws.com/1/q' }, 'events.0.queue'],
    [{ queue: 'http://127.0.0.1:7400/q' }, 'events.0.region'],
    [{ queue: QUEUE, region: 'Frankfurt' }, 'events.0.region'],
    [{ queue: QUEUE, pollers: 4 }, 'events.0.pollers'],
    [{ queue: QUEUE, assume_role: { role_arn: 'me' } }, 'events.0.assume_role.role_arn'],
    [{ queue: QUEUE, extra: 1 }, 'events.0'],
  ])('%j is refused', (entry, path) => {
    const { error } = schema.safeParse({ events: [entry] });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
