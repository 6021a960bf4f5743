import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { sortedEntries } from '@tagplane/labels';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import fc from 'fast-check';
import { draftFromMessage, draftToMessage } from '../convert.ts';
import { ServerInfoSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { decodeDraft } from './draft-reader.ts';
import { encodeDrafts } from './draft-writer.ts';

const KEY = { account: '123456789012', region: 'us-gov-west-1', instance: 'i-0123456789abcdef0' };
const instance = parseInstanceKey(KEY);
const serverId = parseServerId('s'.repeat(128));
if (instance === undefined || serverId === undefined) throw new Error('bad fixture');

const DRAFT: ServerInfoDraft = {
  name: 'n',
  match: { kind: 'aws-instance', instance },
  labels: new Map([['aws/Name', 'web']]),
  observedAt: 1_767_225_600_123,
  ttlMs: 5_400_000,
};

const unit = fc.constantFrom(
  'a',
  ' ',
  '\0',
  '\u007f',
  '\u0080',
  'ß',
  '\u07ff',
  '\u0800',
  '\ufeff',
  '🦊',
  '語',
);
const text = fc.oneof(
  fc.constantFrom('', '__proto__', 'constructor', '0', '-1', '\ufeff', 'aws/__proto__'),
  fc.string({ unit, maxLength: 20 }),
  // About where a length takes a second byte, and a third.
  fc
    .tuple(unit, fc.constantFrom(41, 42, 63, 64, 126, 127, 128, 129, 8_192, 16_384))
    .map(([c, n]) => c.repeat(n)),
);
const time = fc.option(
  fc.oneof(fc.nat(5_000), fc.integer({ min: -2_000, max: 253_402_300_799_999 }), fc.constant(127_999)),
  { nil: undefined },
);
const selector = fc
  .array(fc.record({ key: text, values: fc.array(text, { maxLength: 3 }) }), { maxLength: 3 })
  .map((terms) => ({ kind: 'selector' as const, selector: { terms } }));
const drafts: fc.Arbitrary<ServerInfoDraft> = fc.record(
  {
    name: text,
    match: fc.oneof(
      fc.constantFrom<ServerInfoDraft['match']>(DRAFT.match, { kind: 'server-id', serverId }),
      selector,
    ),
    labels: fc
      .uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 12 })
      .map((entries) => new Map(entries)),
    observedAt: time,
    ttlMs: time,
    expectedRevision: fc.nat(),
    rejected: fc.array(fc.record({ key: text, reason: text }), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['name', 'match', 'labels', 'observedAt', 'ttlMs'] },
);

/** As the generated code reads it. */
function byMessage(bytes: Uint8Array): ServerInfoDraft | undefined {
  return draftFromMessage(fromBinary(ServerInfoSchema, bytes));
}

/** The outcome of a reader, whichever it is; JSON objects put integer-like keys first. */
function outcome(read: (bytes: Uint8Array) => ServerInfoDraft | undefined, bytes: Uint8Array): unknown {
  try {
    const draft = read(bytes);
    return draft && { ...draft, labels: sortedEntries(draft.labels) };
  } catch (error) {
    return { error: String(error) };
  }
}

/** A field with a length of less than 128. */
function field(tag: number, ...content: readonly (number | string)[]): number[] {
  const bytes = content.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]));
  return [tag, bytes.length, ...bytes];
}

const MATCH = field(0x12, ...field(0x12, 'web-1'));

describe('encodeDrafts', () => {
  it('makes what the message makes', () => {
    fc.assert(
      fc.property(fc.array(drafts, { minLength: 1, maxLength: 8 }), (batch) => {
        const encoded = encodeDrafts(batch);
        expect(encoded).toHaveLength(batch.length);
        for (const [index, draft] of batch.entries()) {
          const bytes = encoded[index] ?? new Uint8Array();
          expect(fromBinary(ServerInfoSchema, bytes)).toEqual(
            fromBinary(ServerInfoSchema, toBinary(ServerInfoSchema, draftToMessage(draft))),
          );
        }
      }),
    );
  });

  it('writes the very bytes of the library', () => {
    expect(Buffer.from(encodeDrafts([DRAFT])[0] ?? [])).toEqual(
      Buffer.from(toBinary(ServerInfoSchema, draftToMessage(DRAFT))),
    );
  });

  it('puts a replacement character for a lone surrogate, as the library does', () => {
    for (const lone of ['\ud83d', `${'a'.repeat(40)}\ud83d`]) {
      const draft = { ...DRAFT, labels: new Map([['aws/a', lone]]) };
      const [bytes = new Uint8Array()] = encodeDrafts([draft]);
      expect(decodeDraft(bytes)?.labels.get('aws/a')).toBe(lone.toWellFormed());
    }
  });

  it('keeps a selector, an expected revision and rejected tags', () => {
    const draft: ServerInfoDraft = {
      ...DRAFT,
      match: { kind: 'selector', selector: { terms: [{ key: 'aws/team', values: ['db', 'w*'] }] } },
      expectedRevision: 2 ** 53 - 1,
      rejected: [{ key: 'long', reason: 'too long' }],
    };
    expect(encodeDrafts([draft]).map((bytes) => decodeDraft(bytes))).toEqual([draft]);
  });

  it('keeps the items of a batch that fills several chunks', () => {
    const batch = Array.from({ length: 300 }, (_, index) => ({
      ...DRAFT,
      name: `n${index}`,
      labels: new Map([['aws/a', String(index).repeat(400)]]),
    }));
    expect(encodeDrafts(batch).map((bytes) => decodeDraft(bytes))).toEqual(batch);
  });
});

describe('decodeDraft', () => {
  it('reads what the library writes', () => {
    fc.assert(
      fc.property(drafts, (draft) => {
        const bytes = toBinary(ServerInfoSchema, draftToMessage(draft));
        expect(outcome(decodeDraft, bytes)).toEqual(outcome(byMessage, bytes));
      }),
    );
  });

  it.each<[string, number[]]>([
    ['nothing', []],
    ['no match', field(0x0a, 'n')],
    ['an empty match', [...field(0x0a, 'n'), 0x12, 0]],
    ['an instance without its parts', field(0x12, 0x0a, 0)],
    ['an empty server id', field(0x12, 0x12, 0)],
    ['two kinds of match', field(0x12, ...field(0x12, 'web-1'), ...field(0x0a, ...field(0x0a, '1')))],
    ['two matches', [...MATCH, ...field(0x12, ...field(0x12, 'web-2'))]],
    ['two names', [...field(0x0a, 'a'), ...field(0x0a, 'b'), ...MATCH]],
    ['an empty name and another', [...field(0x0a), ...field(0x0a, 'b'), ...MATCH]],
    ['another order', [...field(0x42, 0x08, 1), ...MATCH, ...field(0x0a, 'n')]],
    ['a label twice', [...MATCH, ...field(0x1a, 0x0a, 1, 'a', 0x12, 1, 'b'), ...field(0x1a, 0x0a, 1, 'a')]],
    ['a label without a key', [...MATCH, ...field(0x1a, 0x12, 1, 'b')]],
    ['a label with its value first', [...MATCH, ...field(0x1a, 0x12, 1, 'b', 0x0a, 1, 'a')]],
    ['a label with an unknown field', [...MATCH, ...field(0x1a, 0x0a, 1, 'a', 0x18, 1)]],
    ['two times', [...MATCH, ...field(0x22, 0x08, 1), ...field(0x22, 0x10, 1)]],
    ['an empty time', [...MATCH, ...field(0x22)]],
    ['an output field', [...MATCH, 0x30, 7, ...field(0x3a, 'origin')]],
    ['an unknown field', [...MATCH, ...field(0x7a, 'x')]],
    ['a tag of two bytes', [...MATCH, 0x82, 1, 1, 'x'.charCodeAt(0)]],
    ['a length of two bytes that fits one', [...MATCH, 0x0a, 0x81, 0x00, 'x'.charCodeAt(0)]],
    ['a time before 1970', [...MATCH, ...field(0x22, 0x08, ...Array<number>(9).fill(0xff), 1)]],
    ['negative nanoseconds', [...MATCH, ...field(0x22, 0x10, ...Array<number>(9).fill(0xff), 1)]],
    ['nanoseconds of 32 bits', [...MATCH, ...field(0x22, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f)]],
    ['a length beyond the end', [...MATCH, 0x0a, 9, 1]],
    ['a label beyond its end', [...MATCH, 0x1a, 3, 0x0a, 9, 1, ...field(0x0a, 'abcdefghij')]],
    ['no length', [...MATCH, 0x0a]],
    ['an endless number', [...MATCH, 0x22, 0x0c, 0x08, ...Array<number>(11).fill(0xff)]],
    ['a name that is no UTF-8', [...MATCH, ...field(0x0a, 0xff)]],
    ['a surrogate in UTF-8', [...MATCH, ...field(0x0a, 0xed, 0xa0, 0x80)]],
    ['a byte order mark', [...MATCH, ...field(0x0a, '\ufeffx')]],
    ['the tag zero', [...MATCH, 0]],
  ])('reads %s as the library does', (_, bytes) => {
    const encoded = Uint8Array.from(bytes);
    expect(outcome(decodeDraft, encoded)).toEqual(outcome(byMessage, encoded));
  });

  it('reads any bytes as the library does', () => {
    const [bytes = new Uint8Array()] = encodeDrafts([DRAFT]);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = byte;
        expect(outcome(decodeDraft, changed)).toEqual(outcome(byMessage, changed));
      }),
      { numRuns: 1_000 },
    );
  });
});
