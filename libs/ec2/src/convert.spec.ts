import type { Instance, Reservation } from '@aws-sdk/client-ec2';
import { describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import { convertReservations } from './convert.ts';
import { fakeRegion } from './testing/index.ts';

const REGION = fakeRegion('eu-central-1');
const ID = 'i-0123456789abcdef0';

function one(instance: Instance, OwnerId?: string): Reservation[] {
  return [{ ...(OwnerId === undefined ? {} : { OwnerId }), Instances: [instance] }];
}

describe('convertReservations', () => {
  it('takes the account of each reservation and the region of the scan', () => {
    const { instances, rejected } = convertReservations(
      [
        {
          OwnerId: '111111111111',
          Instances: [
            { InstanceId: ID, State: { Name: 'running' } },
            { InstanceId: 'i-0a1b2c3d', State: { Name: 'stopped' } },
          ],
        },
        { OwnerId: '222222222222', Instances: [{ InstanceId: ID, State: { Name: 'pending' } }] },
        { OwnerId: '333333333333' },
      ],
      REGION,
    );
    expect(instances.map(({ key, state }) => [instanceKeyText(key), state])).toEqual([
      [`111111111111/eu-central-1/${ID}`, 'running'],
      ['111111111111/eu-central-1/i-0a1b2c3d', 'stopped'],
      [`222222222222/eu-central-1/${ID}`, 'pending'],
    ]);
    expect(rejected).toEqual([]);
  });

  it('keeps tags exactly', () => {
    const tags: [string, string][] = [
      ['__proto__', 'polluted'],
      ['constructor', ''],
      ['kubernetes.io/role', 'a:b=c'],
      [' Patch Group ', '  '],
      ['Größe😀', '値\u0301'],
      ['k'.repeat(128), 'v'.repeat(256)],
    ];
    const Tags = tags.map(([Key, Value]) => ({ Key, Value }));
    const { instances } = convertReservations(
      one({ InstanceId: ID, State: { Name: 'running' }, Tags }, '111111111111'),
      REGION,
    );
    expect([...(instances[0]?.tags ?? [])]).toEqual(tags);
  });

  it('takes a tag without a value for an empty one', () => {
    const { instances } = convertReservations(
      one({ InstanceId: ID, State: { Name: 'running' }, Tags: [{ Key: 'bare' }] }, '111111111111'),
      REGION,
    );
    expect(instances[0]?.tags).toEqual(new Map([['bare', '']]));
  });

  const running = { Name: 'running' } as const;
  it.each<[string, Instance, string | undefined, string, RegExp]>([
    ['no instance id', { State: running }, '111111111111', '', /instance id/],
    ['a malformed id', { InstanceId: 'i-XYZ', State: running }, '111111111111', 'i-XYZ', /instance id/],
    ['no owner', { InstanceId: ID, State: running }, undefined, ID, /account id/],
    ['a malformed owner', { InstanceId: ID, State: running }, 'self', ID, /account id/],
    ['no state', { InstanceId: ID }, '111111111111', ID, /state/],
    ['a new state', { InstanceId: ID, State: { Name: 'hibernating' as never } }, '111111111111', ID, /state/],
    [
      'a tag without a key',
      { InstanceId: ID, State: running, Tags: [{ Value: 'x' }] },
      '111111111111',
      ID,
      /without a key/,
    ],
    [
      'a key twice',
      { InstanceId: ID, State: running, Tags: [{ Key: 'a' }, { Key: 'a', Value: '2' }] },
      '111111111111',
      ID,
      /twice/,
    ],
  ])('reports %s', (_, instance, owner, reportedAs, reason) => {
    const { instances, rejected } = convertReservations(one(instance, owner), REGION);
    expect(instances).toEqual([]);
    expect(rejected).toEqual([{ instance: reportedAs, reason: expect.stringMatching(reason) }]);
  });

  it('rejects one instance without its neighbours', () => {
    const { instances, rejected } = convertReservations(
      [
        {
          OwnerId: '111111111111',
          Instances: [
            { InstanceId: 'i-bad', State: running },
            { InstanceId: ID, State: running },
          ],
        },
      ],
      REGION,
    );
    expect(instances.map(({ key }) => key.instance)).toEqual([ID]);
    expect(rejected).toHaveLength(1);
  });
});
