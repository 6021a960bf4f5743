import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ParsedEvent } from './change.ts';
import { parseTime } from './event-head.ts';
import { parseEvent } from './parse-event.ts';
import {
  INSTANCE,
  PLACE,
  TIME,
  callEvent,
  envelope,
  stateEvent,
  tagEvent,
  taggingCall,
} from './testing/event-bodies.ts';

const parse = (event: unknown): ParsedEvent => parseEvent(JSON.stringify(event));
const key = { ...PLACE, instance: INSTANCE };
const at = Date.parse(TIME);
const tags = (...entries: [string, string | undefined][]) => ({ kind: 'tags', tags: new Map(entries) });
const state = (name: string) => ({ kind: 'state', state: name });
const named = (...ids: string[]) => ({ instancesSet: { items: ids.map((instanceId) => ({ instanceId })) } });

describe('an event', () => {
  it.each<[string, object, string, unknown]>([
    ['a state', stateEvent('stopped'), 'state', state('stopped')],
    ['a state as pipes write it', stateEvent('RUNNING'), 'state', state('running')],
    [
      'tags: the changed ones, and those that are gone',
      tagEvent(['env', 'old'], { env: 'prod', kept: 'as it was' }),
      'tag',
      tags(['env', 'prod'], ['old', undefined]),
    ],
    ['CreateTags', taggingCall('CreateTags', { a: '1', b: '' }), 'cloudtrail', tags(['a', '1'], ['b', ''])],
    [
      'CreateTags without a value',
      taggingCall('CreateTags', { a: undefined }),
      'cloudtrail',
      tags(['a', '']),
    ],
    ['DeleteTags', taggingCall('DeleteTags', { a: undefined }), 'cloudtrail', tags(['a', undefined])],
    ['DeleteTags of one value', taggingCall('DeleteTags', { a: 'x' }), 'cloudtrail', { kind: 'any' }],
    ['DeleteTags of all', taggingCall('DeleteTags', {}), 'cloudtrail', { kind: 'any' }],
    [
      'TerminateInstances',
      callEvent('TerminateInstances', { requestParameters: named(INSTANCE) }),
      'cloudtrail',
      state('shutting-down'),
    ],
    [
      'StopInstances',
      callEvent('StopInstances', { requestParameters: named(INSTANCE) }),
      'cloudtrail',
      state('stopping'),
    ],
    [
      'StartInstances',
      callEvent('StartInstances', { requestParameters: named(INSTANCE) }),
      'cloudtrail',
      state('pending'),
    ],
    [
      'RunInstances',
      callEvent('RunInstances', { requestParameters: named(), responseElements: named(INSTANCE) }),
      'cloudtrail',
      { kind: 'any' },
    ],
  ])('%s', (_, event, source, expectation) => {
    const version = source === 'tag' ? 3 : undefined;
    const changes = [{ key, at, version, expectation }];
    expect(parse(event)).toEqual({ kind: 'changes', id: 'event-1', source, changes });
    const notification = { Type: 'Notification', MessageId: 'm', Message: JSON.stringify(event) };
    expect(parse(notification)).toEqual(parse(event));
  });

  it('of many resources is one change for each instance, and passes over what is none', () => {
    const event = taggingCall('CreateTags', { a: '1' }, ['vol-1', INSTANCE, 'i-0000000000000000f', 'eni-2']);
    const parsed = parse(event);
    expect(parsed.kind === 'changes' && parsed.changes.map((change) => change.key.instance)).toEqual([
      INSTANCE,
      'i-0000000000000000f',
    ]);
  });

  it('carries the account and region of the call, not of the bus that it came over', () => {
    const there = { awsRegion: 'us-west-2', recipientAccountId: '999999999999' };
    const event = callEvent('StopInstances', { requestParameters: named(INSTANCE), ...there });
    expect(parse(event)).toMatchObject({
      changes: [{ key: { region: 'us-west-2', account: '999999999999' } }],
    });
  });

  it('is read in every partition', () => {
    const cn = tagEvent(['a'], { a: '1' }, { region: 'cn-north-1' });
    const resources = [`arn:aws-cn:ec2:cn-north-1:${PLACE.account}:instance/${INSTANCE}`];
    expect(parse({ ...cn, resources })).toMatchObject({ changes: [{ key: { region: 'cn-north-1' } }] });
    const call = callEvent('StopInstances', {
      requestParameters: named(INSTANCE),
      eventSource: 'ec2.amazonaws.com.cn',
    });
    expect(parse(call).kind).toBe('changes');
  });

  it('keeps a tag called __proto__ like any other', () => {
    const body = JSON.stringify(tagEvent(['__proto__', 'constructor'], {}));
    const parsed = parseEvent(body.replace('"tags":{}', '"tags":{"__proto__":"x"}'));
    const expectation = tags(['__proto__', 'x'], ['constructor', undefined]);
    expect(parsed).toMatchObject({ kind: 'changes', changes: [{ expectation }] });
  });
});

describe('an event of no use', () => {
  it.each<[string, object, string]>([
    ['another service', envelope('aws.s3', 'Object Created', {}), 'other-event'],
    ['another event of EC2', envelope('aws.ec2', 'EBS Volume Notification', {}), 'other-event'],
    ['another call', callEvent('DescribeInstances', {}), 'other-event'],
    [
      'a call of that name elsewhere',
      callEvent('CreateTags', { eventSource: 'elasticfilesystem.amazonaws.com' }),
      'other-event',
    ],
    [
      'a call that failed',
      callEvent('CreateTags', { errorCode: 'Client.UnauthorizedOperation' }),
      'failed-call',
    ],
    ['tags of a volume', taggingCall('CreateTags', { a: '1' }, ['vol-1']), 'other-resource'],
    [
      'tags of a role',
      envelope('aws.tag', 'Tag Change on Resource', { service: 'iam', 'resource-type': 'role' }),
      'other-resource',
    ],
  ])('%s', (_, event, reason) => {
    expect(parse(event)).toEqual({ kind: 'ignored', reason });
  });
});

describe('what is no event', () => {
  const long = 'x'.repeat(1_000);
  it.each<[string, unknown]>([
    ['null', null],
    ['a list', [stateEvent('running')]],
    ['a text', 'running'],
    ['nothing', {}],
    ['a notification of something else', { Type: 'Notification', Message: 'hello' }],
    ['no id', { ...stateEvent('running'), id: undefined }],
    ['a very long id', stateEvent('running', { id: long })],
    ['no time', stateEvent('running', { time: 'yesterday' })],
    ['a time that is none', stateEvent('running', { time: '2026-13-45T99:00:00Z' })],
    ['an unknown state', stateEvent('rebooting')],
    ['no instance', stateEvent('running', { instance: 'vol-1' })],
    ['no account', stateEvent('running', { account: 'me' })],
    ['a wrong ARN', { ...tagEvent(['a'], {}), resources: ['arn:aws:ec2:x:y:instance/z'] }],
    ['no resources', { ...tagEvent(['a'], {}), resources: [] }],
    ['too many resources', { ...tagEvent(['a'], {}), resources: Array.from({ length: 1_001 }, () => 'x') }],
    ['a long key', tagEvent([long], {})],
    ['a long value', tagEvent(['a'], { a: long })],
    ['an empty key', taggingCall('CreateTags', { '': 'x' })],
    [
      'many keys',
      taggingCall('CreateTags', Object.fromEntries(Array.from({ length: 201 }, (_, n) => [n, '']))),
    ],
    ['no tags', callEvent('CreateTags', { requestParameters: { resourcesSet: { items: [] } } })],
    [
      'wrong types',
      callEvent('CreateTags', { requestParameters: { resourcesSet: { items: [7] }, tagSet: { items: [] } } }),
    ],
  ])('%s', (_, event) => {
    expect(parse(event).kind).toBe('malformed');
  });

  it('is told by its size before it is parsed, and however deep it goes', () => {
    expect(parseEvent(`"${'x'.repeat(1024 * 1024)}"`)).toMatchObject({ reason: 'longer than SQS carries' });
    const deep = `${'{"detail":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(parseEvent(deep).kind).toBe('malformed');
    const deepInside = JSON.stringify(stateEvent('running')).replace(
      '"detail":',
      `"x":${deep.slice(0, 500_000)},"detail":`,
    );
    expect(['malformed', 'changes']).toContain(parseEvent(deepInside).kind);
  });
});

/** Replaces something, anywhere in a value, by something else. */
function spoil(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return by;
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  copy[key] = spoil(copy[key], rest, by);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

const SAMPLES = [
  stateEvent('running'),
  tagEvent(['a', 'b'], { a: '1' }),
  taggingCall('CreateTags', { a: '1' }),
  taggingCall('DeleteTags', { a: undefined }),
  callEvent('RunInstances', { responseElements: named(INSTANCE) }),
];

describe('whatever a body is', () => {
  it('it is read without harm', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (body) => {
        expect(['changes', 'ignored', 'malformed']).toContain(parseEvent(body).kind);
      }),
    );
  });

  it('what is made of it is well-formed, though any part of an event was replaced', () => {
    const path = fc.array(fc.nat(12), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), path, fc.jsonValue({ maxDepth: 3 }), (event, where, by) => {
        const parsed = parse(spoil(event, where, by));
        if (parsed.kind !== 'changes') return;
        expect(parsed.changes.length).toBeGreaterThan(0);
        for (const change of parsed.changes) {
          expect(change.key.account).toMatch(/^\d{12}$/);
          expect(change.key.instance).toMatch(/^i-[0-9a-f]+$/);
          expect(Number.isFinite(change.at)).toBe(true);
          if (change.expectation.kind !== 'tags') continue;
          for (const value of change.expectation.tags.values()) {
            expect(['string', 'undefined']).toContain(typeof value);
          }
        }
      }),
      { numRuns: 1_000 },
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a time', () => {
  it.each([
    ['2026-04-08T13:00:00Z', 1_775_653_200_000],
    ['2026-04-08T13:00:00.123456789Z', 1_775_653_200_123],
    ['2026-04-08', undefined],
    ['Wed, 08 Apr 2026 13:00:00 GMT', undefined],
    [undefined, undefined],
  ])('%s', (text, time) => {
    expect(parseTime(text)).toBe(time);
  });
});
