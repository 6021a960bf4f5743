import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@tagplane/harness';
import {
  ControlStreamRequestSchema,
  UpsertServerInfosRequestSchema,
  UpsertServerInfosResponseSchema,
  UpsertStatus,
} from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import { ControlStream, instanceMessage } from '../attacker/control-stream.ts';
import { envelope, rawCall } from '../attacker/raw-call.ts';
import { someInstance } from '../target/samples.ts';
import type { Target } from '../target/target.ts';

type Writer = 'discovery' | 'operator';
const WRITERS: readonly Writer[] = ['discovery', 'operator'];
const LONG_KEY = 'k'.repeat(1024 * 1024);
/** As long as `__proto__`, which no encoder of JavaScript objects is sure to write. */
const PLACE = '++proto++';

export function labelAttacks(target: () => Target): void {
  describe('labels', () => {
    it.each([
      ['discovery', 'dynamic/'],
      ['operator', 'aws/'],
    ] as const)('that are not its own are not written by %s: %s', async (role, namespace) => {
      for (const writer of WRITERS) {
        // Also under the name that the other one may write.
        const { source, result } = await upsert(target(), role, { [`${namespace}role`]: 'root' }, writer);
        expect(result.status).toBe(UpsertStatus.DENIED);
        await target().audit.expect({ code: 'server_info.refused', source, actor: `${role}/writer` });
      }
    });

    it.each(WRITERS)('with the key __proto__ are just labels to %s, or refused', async (role) => {
      const prefix = role === 'discovery' ? 'aws/' : 'dynamic/';
      const bare = await upsert(target(), role, { [PLACE]: 'polluted' });
      expect(bare.result.status).not.toBe(UpsertStatus.ACCEPTED);
      await target().audit.expect({ code: 'server_info.refused', source: bare.source });
      const inside = await upsert(target(), role, { [`${prefix}${PLACE}`]: 'polluted' });
      expect(inside.result.status).toBe(UpsertStatus.ACCEPTED);
      const { serverInfo } = await target().operator.serverInfos.getServerInfo({ name: inside.name });
      expect(Object.entries(serverInfo?.labels ?? {})).toEqual([[`${prefix}__proto__`, 'polluted']]);
    });

    it.each(WRITERS)('with a key of a mebibyte are refused to %s, without an echo', async (role) => {
      const prefix = role === 'discovery' ? 'aws/' : 'dynamic/';
      const { source, result } = await upsert(target(), role, { [`${prefix}${LONG_KEY}`]: 'x' });
      expect(result.status).toBe(UpsertStatus.INVALID);
      expect(result.reason.length).toBeLessThan(1_000);
      const event = await target().audit.expect({ code: 'server_info.refused', source });
      expect(
        JSON.stringify(event, (_key, value: unknown) => (typeof value === 'bigint' ? '' : value)).length,
      ).toBeLessThan(10_000);
    });

    it.each([
      ['of a mebibyte', { [LONG_KEY]: 'x' }],
      ['under aws/', { 'aws/role': 'root' }],
      ['under dynamic/', { 'dynamic/role': 'root' }],
    ])('of an agent itself, with a key %s, end its stream', async (what, labels) => {
      const name = `own-labels-${what.replaceAll(/\W/g, '')}`;
      const certificate = await target().issuer.certify({ role: 'agent', name });
      const dial = target().dial({ certificate });
      using stream = new ControlStream(dial).hello(name).say({ case: 'heartbeat', value: { labels } });
      await target().attempt(stream.failure());
      await target().audit.expect({ code: 'agent.refused', source: dial.source, actor: `agent/${name}` });
    });

    it('of an agent itself, with the key __proto__, are just labels', async () => {
      const certificate = await target().issuer.certify({ role: 'agent', name: 'own-proto' });
      const dial = target().dial({ certificate });
      const hello = create(ControlStreamRequestSchema, {
        message: {
          case: 'hello',
          value: { serverId: 'own-proto', heartbeat: { labels: { ok: '1', [PLACE]: 'polluted' } } },
        },
      });
      const message = envelope(withProto(toBinary(ControlStreamRequestSchema, hello)));
      let keys: string[] = [];
      const body = async function* (): AsyncGenerator<Buffer> {
        yield message;
        // The stream stays open until the node is known.
        keys = await waitFor('the node is known', async () => {
          const { node } = await target().operator.nodes.getNode({ serverId: 'own-proto' });
          return Object.keys(node?.labels ?? {});
        });
      };
      const path = '/tagplane.v1.InventoryService/ControlStream';
      await rawCall(dial, { path, contentType: 'application/connect+proto', body: body() });
      expect(keys.filter((key) => key !== '__proto__')).toEqual(['ok']);
    });
  });
}

function withProto(message: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(message).toString('latin1').replaceAll(PLACE, '__proto__'), 'latin1');
}

let names = 0;

/** Writes one ServerInfo as this role, under a name that `nameOf` may use; `PLACE` becomes `__proto__`. */
async function upsert(target: Target, role: Writer, labels: Record<string, string>, nameOf: Writer = role) {
  const instance = someInstance();
  const { account, region, instance: id } = instance;
  names += 1;
  const name = nameOf === 'discovery' ? `aws-${account}-${region}-${id}` : `attack-${names}`;
  const request = create(UpsertServerInfosRequestSchema, {
    serverInfos: [
      {
        name,
        match: { target: { case: 'awsInstance', value: instanceMessage(instance) } },
        labels,
        observedAt: timestampNow(),
        ttl: durationFromMs(MINUTE),
      },
    ],
  });
  const dial = target.dial({ certificate: await target.issuer.certify({ role, name: 'writer' }) });
  const answer = await rawCall(dial, {
    path: '/tagplane.v1.ServerInfoService/UpsertServerInfos',
    contentType: 'application/proto',
    body: [withProto(toBinary(UpsertServerInfosRequestSchema, request))],
  });
  target.seen.push(answer.body.toString('latin1'));
  const [result] = fromBinary(UpsertServerInfosResponseSchema, answer.body).results;
  if (result === undefined) throw new Error('the item has no result');
  return { source: dial.source, name, result };
}
