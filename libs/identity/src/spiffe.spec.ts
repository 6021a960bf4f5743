import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { InstanceKey } from './ids.ts';
import { parseInstanceKey } from './ids.ts';
import { ROLES, isCertifiedName } from './peer.ts';
import {
  formatSpiffeId,
  instanceDnsName,
  isClusterName,
  parseInstanceDnsName,
  parseSpiffeId,
} from './spiffe.ts';

const INSTANCE = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0abcdef1234567890',
});

describe('isClusterName', () => {
  it.each(['a', 'prod', 'prod.example.com', 'eu-1_a', '7', 'x'.repeat(63)])('takes %s', (text) => {
    expect(isClusterName(text)).toBe(true);
  });

  it.each(['', 'Prod', '-a', '.a', '_a', 'a b', 'a/b', 'a:1', 'ä', 'a\n', 'x'.repeat(64)])(
    'refuses %j',
    (text) => {
      expect(isClusterName(text)).toBe(false);
    },
  );
});

describe('parseSpiffeId', () => {
  it.each([
    ['spiffe://prod/agent/web-1', { cluster: 'prod', role: 'agent', name: 'web-1' }],
    ['spiffe://a.b/discovery/eu.prod', { cluster: 'a.b', role: 'discovery', name: 'eu.prod' }],
    ['spiffe://prod/operator/Jane_1', { cluster: 'prod', role: 'operator', name: 'Jane_1' }],
    ['spiffe://prod/auth/7', { cluster: 'prod', role: 'auth', name: '7' }],
  ])('reads %s', (uri, id) => {
    expect(parseSpiffeId(uri)).toEqual(id);
  });

  it.each([
    ...['', 'spiffe://', 'spiffe://prod', 'spiffe://prod/', 'spiffe://prod/agent', 'spiffe://prod/agent/'],
    ...['spiffe:///agent/a', 'spiffe://prod//a', 'spiffe://prod/root/a', 'spiffe://prod/Agent/a'],
    ...[
      'spiffe://prod/agent/a/b',
      'spiffe://prod/agent/a/',
      'spiffe://prod/agent/a?x',
      'spiffe://prod/agent/a#x',
    ],
    ...['https://prod/agent/a', 'SPIFFE://prod/agent/a', ' spiffe://prod/agent/a', 'spiffe://prod/agent/a\n'],
    ...[
      'spiffe://Prod/agent/a',
      'spiffe://x@prod/agent/a',
      'spiffe://prod:1/agent/a',
      'spiffe://prod/agent/..',
    ],
    ...[
      'spiffe://prod/agent/a@b',
      'spiffe://prod/agent/%61',
      'spiffe://prod/__proto__/a',
      'spiffe://prod/agent/ä',
    ],
  ])('refuses %j', (uri) => {
    expect(parseSpiffeId(uri)).toBeUndefined();
  });

  it('reads what formatSpiffeId writes, and takes nothing that it would not write', () => {
    const ids = fc.record({
      cluster: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/),
      role: fc.constantFrom(...ROLES),
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
    });
    fc.assert(
      fc.property(ids, (id) => {
        expect(isClusterName(id.cluster) && isCertifiedName(id.name)).toBe(true);
        expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id);
      }),
    );
    const parts = fc.array(
      fc.constantFrom('spiffe:', '/', 'prod', 'agent', 'a', '.', '..', '%', '@', '?', '\n'),
    );
    fc.assert(
      fc.property(parts, (words) => {
        const text = words.join('');
        const id = parseSpiffeId(text);
        if (id !== undefined) expect(formatSpiffeId(id)).toBe(text);
      }),
    );
  });
});

describe('instanceDnsName', () => {
  it('carries an instance', () => {
    const name = INSTANCE && instanceDnsName(INSTANCE);
    expect(name).toBe('i-0abcdef1234567890.eu-central-1.123456789012.instance.tagplane.internal');
    expect(parseInstanceDnsName(name ?? '')).toEqual(INSTANCE);
  });

  it.each([
    ...['', 'example.com', 'instance.tagplane.internal', '.instance.tagplane.internal'],
    ...['i-1234abcd.eu-central-1.instance.tagplane.internal', 'i-1234abcd.eu-central-1.123456789012'],
    ...['eu-central-1.i-1234abcd.123456789012.instance.tagplane.internal'],
    ...['i-1234abcd.eu-central-1.123456789012.instance.tagplane.internal.'],
    ...['i-1234abcd.eu-central-1.123456789012.instance.tagplane.internal.example.com'],
    ...['x.i-1234abcd.eu-central-1.123456789012.instance.tagplane.internal'],
    ...['I-1234ABCD.eu-central-1.123456789012.instance.tagplane.internal'],
    ...['*.eu-central-1.123456789012.instance.tagplane.internal'],
  ])('is not %j', (name) => {
    expect(parseInstanceDnsName(name)).toBeUndefined();
  });

  it('is read as the instance it was made of', () => {
    const instances = fc.record({
      account: fc.stringMatching(/^[0-9]{12}$/),
      region: fc.constantFrom('us-east-1', 'us-gov-west-1', 'eusc-de-east-1'),
      instance: fc.stringMatching(/^i-([0-9a-f]{8}|[0-9a-f]{17})$/),
    }) as fc.Arbitrary<InstanceKey>;
    fc.assert(
      fc.property(instances, (key) => {
        expect(parseInstanceDnsName(instanceDnsName(key))).toEqual(key);
      }),
    );
  });
});
