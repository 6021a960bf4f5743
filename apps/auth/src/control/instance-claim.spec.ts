import { describe, expect, it } from '@jest/globals';
import { AwsInstanceSchema, instanceToMessage } from '@tagplane/protocol';
import type { AwsInstance } from '@tagplane/protocol';
import { create } from '@bufbuild/protobuf';
import { instance } from '../testing/fleet.ts';
import { identityOf } from '../testing/identities.ts';
import { claimOf } from './instance-claim.ts';
import type { InstanceClaim } from './instance-claim.ts';

const claimed = { proof: 'claimed' } as const;
const proves1 = identityOf('agent', 'a', instance(1)).peer;
const provesNone = identityOf('agent', 'a').peer;
const malformed = create(AwsInstanceSchema, { accountId: '1', region: 'x', instanceId: 'y' });
const [one, two] = [1, 2].map((number) => instanceToMessage(instance(number))) as [AwsInstance, AwsInstance];

describe('claimOf', () => {
  it.each<[string, AwsInstance | undefined, Parameters<typeof claimOf>[1], Partial<InstanceClaim>]>([
    ['believes whoever proves nothing', one, claimed, { instance: instance(1), aws: 'open' }],
    ['takes nothing for none', undefined, claimed, { instance: undefined, aws: 'open' }],
    ['says what is malformed', malformed, claimed, { problem: 'malformed', aws: 'open', named: '1/x/y' }],
    ['takes what is proven', one, proves1, { instance: instance(1), aws: 'open' }],
    ['takes what is proven when it is not named', undefined, proves1, { instance: instance(1), aws: 'open' }],
    ['denies another one', two, proves1, { problem: 'other_instance', aws: 'denied' }],
    ['denies what is malformed', malformed, proves1, { problem: 'malformed', aws: 'denied' }],
    ['gives nothing to who proves none', one, provesNone, { problem: 'unproven', aws: 'none' }],
    ['gives nothing to who names none', undefined, provesNone, { problem: undefined, aws: 'none' }],
    [
      'denies the malformed of who proves none',
      malformed,
      provesNone,
      { problem: 'malformed', aws: 'denied' },
    ],
  ])('%s', (_, named, peer, expected) => {
    const claim = claimOf(named, peer);
    expect(claim).toMatchObject(expected);
    expect(claim.problem === undefined).toBe(claim.named === undefined);
    if (claim.aws !== 'open' || claim.problem !== undefined) expect(claim.instance).toBeUndefined();
  });
});
