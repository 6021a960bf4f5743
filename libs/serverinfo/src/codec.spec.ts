import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import fc from 'fast-check';
import { ServerInfoDecodeError, decodeServerInfo, encodeServerInfo, originEnding } from './codec.ts';
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

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const arbitraryMatch: fc.Arbitrary<Match> = fc.oneof(
  fc.constantFrom<Match>(awsMatch, { kind: 'server-id', serverId }),
  fc
    .array(fc.record({ key: text, values: fc.array(text, { minLength: 1, maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((terms) => ({ kind: 'selector' as const, selector: { terms } })),
);

const arbitraryInfo: fc.Arbitrary<ServerInfo> = fc.record({
  name: fc.constantFrom(discoveredName(instance), 'web'),
  match: arbitraryMatch,
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

describe('the origin at the end', () => {
  const origin = fc.oneof(
    fc.constantFrom('discovery/main', 'discovery/a', 'x/discovery/a', 'a",["discovery/a'),
    text,
  );
  const rejected = fc.array(fc.record({ key: origin, reason: origin }), { maxLength: 2 });

  it('is that of the value, whatever its tags say, and no other', () => {
    fc.assert(
      fc.property(arbitraryInfo, rejected, origin, origin, (info, tags, mine, other) => {
        const value = encodeServerInfo({ ...info, rejected: tags, origin: mine });
        expect(value.endsWith(originEnding(other))).toBe(mine === other);
      }),
    );
  });
});

describe('a selector in the store', () => {
  it('is a list of its terms, each its key and its patterns', () => {
    const terms = [
      { key: 'aws/team', values: ['db', 'web-*'] },
      { key: '*', values: ['*'] },
    ];
    const value = encodeServerInfo({ ...good, match: { kind: 'selector', selector: { terms } } });
    expect(JSON.parse(value)).toContainEqual([
      ['aws/team', 'db', 'web-*'],
      ['*', '*'],
    ]);
  });

  it.each([
    ['a term that is none', '[["aws/a","b"],7]'],
    ['a term without patterns', '[["aws/a"]]'],
    ['an empty term', '[[]]'],
    ['a pattern that is no text', '[["aws/a",1]]'],
  ])('is refused with %s', (_, match) => {
    const value = `[1,${match},[],null,"operator/a"]`;
    expect(() => decodeServerInfo({ key: 'assigned/web', value, revision: 1, expiresAt: undefined })).toThrow(
      /no match/,
    );
  });
});

describe('rejected tags in the store', () => {
  const arbitraryRejected = fc.array(fc.record({ key: text, reason: text }), { minLength: 1, maxLength: 5 });

  it('come back as they were, and take no place when there are none', () => {
    fc.assert(
      fc.property(arbitraryInfo, arbitraryRejected, (info, rejected) => {
        expect(decodeServerInfo(entryOf({ ...info, rejected }))).toEqual({ ...info, rejected });
        expect(encodeServerInfo({ ...info, rejected: [] })).toBe(encodeServerInfo(info));
      }),
    );
  });

  it.each(['["a"]', '[1,"b"]', '"a"'])('are refused as %s', (rejected) => {
    const value = `[1,["web-1"],[],null,"operator/a",${rejected}]`;
    expect(() => decodeServerInfo({ key: 'assigned/web', value, revision: 1, expiresAt: undefined })).toThrow(
      /no rejected tags/,
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
