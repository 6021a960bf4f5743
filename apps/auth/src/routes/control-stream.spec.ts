import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ControlStreamRequestSchema,
  InventoryService,
  PEER_HEADER,
  instanceToMessage,
  labelsFromMessage,
  rpcOptions,
} from '@tagplane/protocol';
import type { ControlStreamRequest, ControlStreamResponse } from '@tagplane/protocol';
import { silentLogger } from '@tagplane/runtime';
import type { AuditRecord } from '../audit/audit.ts';
import { discovered, instance, put } from '../testing/fleet.ts';
import { nodeRecord, testPlane, testStores, until } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';
import { createControlStreamRoute } from './control-stream.ts';

let stack: AsyncDisposableStack;
let stores: TestStores;
let auth: TestPlane;
const events: AuditRecord[] = [];

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
  events.length = 0;
  auth = stack.use(testPlane(stores, { audit: { record: (event) => events.push(event) } }));
});
afterEach(() => stack.disposeAsync());

type Message = MessageInitShape<typeof ControlStreamRequestSchema>['message'];

/** The agent's side of a stream, one step at a time. */
class Stream {
  readonly #requests: ControlStreamRequest[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  readonly #answers: AsyncIterator<ControlStreamResponse>;

  constructor(peer: string) {
    const transport = createRouterTransport(
      (router) => {
        router.service(InventoryService, { controlStream: createControlStreamRoute(auth.plane) });
      },
      { router: rpcOptions({ log: silentLogger(), authorise: () => undefined }) },
    );
    const headers = { [PEER_HEADER]: peer };
    const client = createClient(InventoryService, transport);
    this.#answers = client.controlStream(this.#outgoing(), { headers })[Symbol.asyncIterator]();
  }

  send(message: Message): this {
    this.#requests.push(create(ControlStreamRequestSchema, message === undefined ? {} : { message }));
    this.#wake?.();
    return this;
  }

  hello(serverId: string): this {
    const heartbeat = { hostname: 'h', awsInstance: instanceToMessage(instance(1)) };
    return this.send({ case: 'hello', value: { serverId, version: '1', heartbeat } });
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next message; undefined: the stream ended well. */
  async next(): Promise<ControlStreamResponse['message'] | undefined> {
    const result = await this.#answers.next();
    return result.done === true ? undefined : result.value.message;
  }

  async *#outgoing(): AsyncIterable<ControlStreamRequest> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined) yield request;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function codeOf(answer: Promise<unknown>): Promise<Code | undefined> {
  const error: unknown = await answer.catch((thrown: unknown) => thrown);
  return error instanceof ConnectError ? error.code : undefined;
}

describe('ControlStream', () => {
  it('takes an agent from its hello to its labels and on', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web', __proto__x: 'y' }));
    const stream = new Stream('agent/s1').hello('s1');
    expect(await stream.next()).toMatchObject({ case: 'hello', value: { authId: 'auth-1' } });
    const update = await stream.next();
    if (update?.case !== 'updateLabels' || update.value.change.case !== 'replace')
      throw new Error('no labels');
    const [set] = update.value.change.value.sets;
    expect(labelsFromMessage(set?.labels ?? {})).toEqual(
      new Map([
        ['aws/Name', 'web'],
        ['aws/__proto__x', 'y'],
      ]),
    );
    stream.send({ case: 'labelsAck', value: { nonce: update.value.nonce } });
    await until(async () => (await nodeRecord(stores.nodes, 's1'))?.sync.state === 'synced', 'synced');
    stream.end();
    expect(await stream.next()).toBeUndefined();
    await until(async () => (await nodeRecord(stores.nodes, 's1'))?.connected === false, 'disconnected');
    expect(auth.plane.connectedAgents).toBe(0);
  });

  it('says goodbye and ends when the process drains', async () => {
    const stream = new Stream('agent/s1').hello('s1');
    expect(await stream.next()).toMatchObject({ case: 'hello' });
    const goodbye = stream.next();
    const draining = auth.plane.drain(2_000);
    expect(await goodbye).toMatchObject({ case: 'goodbye' });
    expect(await stream.next()).toBeUndefined();
    await draining;
  });

  it.each([
    ['another server id', 'agent/s1', 's2'],
    ['another role', 'operator/s1', 's1'],
  ])('denies %s', async (_, peer, serverId) => {
    expect(await codeOf(new Stream(peer).hello(serverId).next())).toBe(Code.PermissionDenied);
    await until(() => auth.plane.connectedAgents === 0, 'nobody');
  });

  it('refuses what breaks the rules of the messages, and lets go of the session', async () => {
    const stream = new Stream('agent/s1').hello('s1');
    await stream.next();
    stream.send({ case: 'labelsAck', value: { nonce: 'x'.repeat(100) } });
    expect(await codeOf(stream.next())).toBe(Code.InvalidArgument);
    expect(events).toMatchObject([{ code: 'agent.refused', actor: 'agent/s1' }]);
    await until(() => auth.plane.connectedAgents === 0, 'the session’s end');
  });
});
