import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import fc from 'fast-check';
import { ServerInfoDecodeError, decodeServerInfo, encodeServerInfo } from './codec.ts';
import { serverInfoKey } from './keys.ts';
import { discoveredName } from './names.ts';
import { packLabels, unpackLabels } from './pack.ts';
import type { Match, ServerInfo } from './server-info.ts';

const instance = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0123456789abcdef0',
});
const serverId = parseServerId('web-1');
if (instance === undefined || serverId === undefined) throw new Error('bad fixture');
const awsMatch: Match = { kind: 'aws-instance', instance };

const arbitraryLabels = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.constantFrom('__proto__', 'constructor', 'toString', '0', 'aws/k8s.io/x', 'aws/Patch Group'),
      ),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
    ),
    { selector: ([key]) => key, maxLength: 50 },
  )
  .map((entries) => new Map(entries));

const arbitraryInfo: fc.Arbitrary<ServerInfo> = fc.record({
  name: fc.constantFrom(discoveredName(instance), 'web'),
  match: fc.constantFrom<Match>(awsMatch, { kind: 'server-id', serverId }),
  labels: arbitraryLabels,
  observedAt: fc.option(fc.nat(), { nil: undefined }),
  expiresAt: fc.option(fc.nat(), { nil: undefined }),
  revision: fc.nat(),
  origin: fc.constantFrom('discovery/main', 'operator/ann'),
});

function entryOf(info: ServerInfo) {
  const { expiresAt, revision } = info;
  return { key: serverInfoKey(info.name), value: encodeServerInfo(info), revision, expiresAt };
}

const good: ServerInfo = {
  name: discoveredName(instance),
  match: awsMatch,
  labels: new Map([['aws/secret', 'hunter2']]),
  observedAt: 5,
  expiresAt: 9,
  revision: 3,
  origin: 'discovery/main',
};

describe('the store codec', () => {
  it('returns what was written, with expiry and revision of the entry', () => {
    fc.assert(
      fc.property(arbitraryInfo, (info) => {
        const decoded = decodeServerInfo(entryOf(info));
        expect(decoded).toEqual(info);
        expect([...decoded.labels]).toEqual([...info.labels]);
      }),
    );
  });

  it('keeps neither the name, nor the expiry, nor the revision in the value', () => {
    expect(JSON.parse(encodeServerInfo(good))).toEqual([
      1,
      ['123456789012', 'eu-central-1', 'i-0123456789abcdef0'],
      ['aws/secret', 'hunter2'],
      5,
      'discovery/main',
    ]);
  });

  it.each([
    ['not JSON', '{hunter2'],
    ['no array', '{"hunter2":1}'],
    ['a later version', '[2,["web-1"],[],null,"operator/a"]'],
    ['no match', '[1,[],[],null,"operator/a"]'],
    ['a malformed instance', '[1,["1","eu-central-1","i-1"],[],null,"operator/a"]'],
    ['a match of numbers', '[1,[7],[],null,"operator/a"]'],
    ['a key without a value', '[1,["web-1"],["hunter2"],null,"operator/a"]'],
    ['a value that is no text', '[1,["web-1"],["hunter2",1],null,"operator/a"]'],
    ['a key twice', '[1,["web-1"],["hunter2","","hunter2",""],null,"operator/a"]'],
    ['a time that is none', '[1,["web-1"],[],"hunter2","operator/a"]'],
    ['no origin', '[1,["web-1"],[],null]'],
  ])('refuses %s, without quoting it', (_, value) => {
    const decode = (): unknown =>
      decodeServerInfo({ key: 'assigned/web', value, revision: 1, expiresAt: undefined });
    expect(decode).toThrow(ServerInfoDecodeError);
    expect(decode).toThrow(/"assigned\/web" cannot be read/);
    expect(decode).not.toThrow(/hunter2/);
  });

  it('refuses any other text with its own error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (value) => {
        try {
          decodeServerInfo({ key: 'assigned/web', value, revision: 1, expiresAt: undefined });
        } catch (error) {
          expect(error).toBeInstanceOf(ServerInfoDecodeError);
        }
      }),
    );
  });
});

describe('packed labels', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(arbitraryLabels, (labels) => {
        expect([...unpackLabels(packLabels(labels))]).toEqual([...labels]);
      }),
    );
  });

  it('refuse what is none', () => {
    expect(() => unpackLabels('{}')).toThrow(TypeError);
  });
});
