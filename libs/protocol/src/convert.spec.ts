import { create, fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import type { InstanceKey } from '@tagplane/identity';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { sortedEntries } from '@tagplane/labels';
import type { ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import fc from 'fast-check';
import {
  draftFromMessage,
  draftToMessage,
  instanceToMessage,
  matchToMessage,
  serverInfoFromMessage,
  serverInfoToMessage,
} from './convert.ts';
import {
  AwsInstanceSchema,
  ServerInfoMatchSchema,
  ServerInfoSchema,
} from './gen/tagplane/v1/serverinfo_pb.ts';

const INSTANCE = instance({
  account: '123456789012',
  region: 'us-gov-west-1',
  instance: 'i-0123456789abcdef0',
});

function instance(parts: Parameters<typeof parseInstanceKey>[0]): InstanceKey {
  const key = parseInstanceKey(parts);
  if (key === undefined) throw new Error('no instance');
  return key;
}

const nastyKeys = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '',
  'aws/🦊',
  'hasOwnProperty',
  '0',
  '-0',
);
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const labels = fc
  .uniqueArray(fc.tuple(fc.oneof(nastyKeys, text), text), { selector: ([key]) => key, maxLength: 60 })
  .map((entries) => new Map(entries));
const match: fc.Arbitrary<ServerInfoDraft['match']> = fc.oneof(
  fc.constant({ kind: 'aws-instance' as const, instance: INSTANCE }),
  fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
    .map((id) => parseServerId(id))
    .filter((serverId) => serverId !== undefined)
    .map((serverId) => ({ kind: 'server-id' as const, serverId })),
  fc
    .array(fc.record({ key: text, values: fc.array(text, { maxLength: 4 }) }), { maxLength: 4 })
    .map((terms) => ({ kind: 'selector' as const, selector: { terms } })),
);
const rejected = fc.array(fc.record({ key: text, reason: text }), { minLength: 1, maxLength: 4 });
/** Milliseconds that both a Date and a Timestamp can hold. */
const instant = fc.option(fc.integer({ min: 0, max: 253_402_300_799_999 }), { nil: undefined });
const revision = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const draft: fc.Arbitrary<ServerInfoDraft> = fc.record(
  {
    name: text,
    match,
    labels,
    observedAt: instant,
    ttlMs: fc.option(fc.integer({ min: 1, max: 315_360_000_000 }), { nil: undefined }),
    expectedRevision: revision,
    rejected,
  },
  { requiredKeys: ['name', 'match', 'labels', 'observedAt', 'ttlMs'] },
);
const info: fc.Arbitrary<ServerInfo> = fc.record(
  { name: text, match, labels, observedAt: instant, expiresAt: instant, revision, origin: text, rejected },
  { requiredKeys: ['name', 'match', 'labels', 'observedAt', 'expiresAt', 'revision', 'origin'] },
);

/** JSON objects give integer-like keys first; the order of labels means nothing. */
function ordered(item: { readonly labels: ServerInfo['labels'] } | undefined): unknown {
  return item && { ...item, labels: sortedEntries(item.labels) };
}

describe('ServerInfos on the wire', () => {
  it('come back as they were, through binary and JSON', () => {
    fc.assert(
      fc.property(draft, info, (sentDraft, sentInfo) => {
        const draftMessage = draftToMessage(sentDraft);
        const infoMessage = serverInfoToMessage(sentInfo);
        for (const through of [
          (message: typeof draftMessage) => fromBinary(ServerInfoSchema, toBinary(ServerInfoSchema, message)),
          (message: typeof draftMessage) =>
            fromJsonString(ServerInfoSchema, toJsonString(ServerInfoSchema, message)),
        ]) {
          expect(ordered(draftFromMessage(through(draftMessage)))).toEqual(ordered(sentDraft));
          expect(ordered(serverInfoFromMessage(through(infoMessage)))).toEqual(ordered(sentInfo));
        }
      }),
    );
  });

  it('are the messages that `create` makes', () => {
    fc.assert(
      fc.property(draft, (sent) => {
        const message = draftToMessage(sent);
        const { observedAt, ttl } = message;
        const made = create(ServerInfoSchema, {
          name: sent.name,
          match: matchToMessage(sent.match),
          labels: Object.fromEntries(sent.labels),
          ...(observedAt && { observedAt }),
          ...(ttl && { ttl }),
          ...(message.expectedRevision !== undefined && { expectedRevision: message.expectedRevision }),
          rejectedTags: sent.rejected ? [...sent.rejected] : [],
        });
        expect(message).toEqual(made);
      }),
    );
    expect(instanceToMessage(INSTANCE)).toEqual(
      create(AwsInstanceSchema, {
        accountId: INSTANCE.account,
        region: INSTANCE.region,
        instanceId: INSTANCE.instance,
      }),
    );
  });

  it.each([
    ['no match', undefined],
    ['an empty match', create(ServerInfoMatchSchema)],
    ['a malformed instance', create(ServerInfoMatchSchema, { target: { case: 'awsInstance', value: {} } })],
    ['a malformed server id', create(ServerInfoMatchSchema, { target: { case: 'serverId', value: 'a/b' } })],
  ])('are none with %s', (_what, given) => {
    const message = create(ServerInfoSchema, { name: 'x', ...(given && { match: given }) });
    expect(draftFromMessage(message)).toBeUndefined();
    expect(serverInfoFromMessage(message)).toBeUndefined();
  });
});
