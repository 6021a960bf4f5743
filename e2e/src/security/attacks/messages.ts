import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { ControlStreamRequestSchema } from '@tagplane/protocol';
import type { Role } from '@tagplane/identity';
import { envelope, rawCall } from '../attacker/raw-call.ts';
import type { RawCall } from '../attacker/raw-call.ts';
import type { Target } from '../target/target.ts';

const MIB = 1024 * 1024;
const UPSERT = '/tagplane.v1.ServerInfoService/UpsertServerInfos';
const CONTROL = '/tagplane.v1.InventoryService/ControlStream';
const JOIN = '/tagplane.v1.JoinService/Join';
const UNARY = 'application/proto';
const STREAM = 'application/connect+proto';

interface BadMessage {
  readonly what: string;
  readonly role: Role | undefined;
  readonly call: RawCall;
  /** Connect's name of the error. */
  readonly code: string;
}

const MALFORMED: readonly [string, Buffer][] = [
  ['a field cut short', Buffer.of(0x0a, 0x7f, 0x01)],
  ['a length of four gibibytes', Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['a number without end', Buffer.alloc(64, 0xff)],
  ['a wire type that is none', Buffer.of(0x0f)],
  ['groups in groups', Buffer.alloc(100_000, 0x0b)],
  ['text that is no UTF-8', Buffer.of(0x0a, 0x04, 0x0a, 0x02, 0xc3, 0x28)],
];

function huge(): Iterable<Buffer> {
  const chunk = Buffer.alloc(MIB / 4, 0x0a);
  return Array.from({ length: 400 }, () => chunk);
}

const HUGE: readonly BadMessage[] = [
  {
    what: 'a unary message of 100 MiB',
    role: 'operator',
    call: { path: UPSERT, contentType: UNARY, body: huge() },
    code: 'resource_exhausted',
  },
  {
    what: 'a unary message of 100 MiB that says so first',
    role: 'operator',
    call: {
      path: UPSERT,
      contentType: UNARY,
      body: huge(),
      headers: { 'content-length': String(100 * MIB) },
    },
    code: 'resource_exhausted',
  },
  {
    what: 'a unary message of 100 MiB from nobody',
    role: undefined,
    call: { path: UPSERT, contentType: UNARY, body: huge() },
    code: 'unauthenticated',
  },
  {
    what: 'a unary message that unpacks to 100 MiB',
    role: 'operator',
    call: {
      path: UPSERT,
      contentType: UNARY,
      body: [gzipSync(Buffer.alloc(100 * MIB))],
      headers: { 'content-encoding': 'gzip' },
    },
    code: 'resource_exhausted',
  },
  {
    what: 'a message of 100 MiB on the control stream',
    role: 'agent',
    call: { path: CONTROL, contentType: STREAM, body: [lengthOf(100 * MIB), ...huge()] },
    code: 'resource_exhausted',
  },
  {
    what: 'a message on the control stream that unpacks to 100 MiB',
    role: 'agent',
    call: {
      path: CONTROL,
      contentType: STREAM,
      body: [envelope(gzipSync(Buffer.alloc(100 * MIB)), 1)],
      headers: { 'connect-content-encoding': 'gzip' },
    },
    code: 'resource_exhausted',
  },
  {
    what: 'a message of 100 MiB of one who joins',
    role: undefined,
    call: { path: JOIN, contentType: STREAM, body: [lengthOf(100 * MIB), ...huge()] },
    code: 'resource_exhausted',
  },
];

export function messageAttacks(target: () => Target): void {
  /** Makes the call, and returns what the service answered, as text. */
  const send = async (role: Role | undefined, call: RawCall) => {
    const certificate = role && (await target().issuer.certify({ role, name: `sender-${role}` }));
    const dial = target().dial(certificate && { certificate });
    const answer = await rawCall(dial, call, 60_000);
    const text = answer.body.toString('latin1');
    target().seen.push(text);
    return { ...answer, text, source: dial.source };
  };

  describe('messages', () => {
    it.each(HUGE)('$what is refused before it is taken in', async ({ role, call, code }) => {
      const { text, sent } = await send(role, call);
      expect(text).toContain(`"code":"${code}"`);
      // Four of the message's own, as many in windows and buffers of both sides, and some.
      expect(sent).toBeLessThan(32 * MIB);
    });

    it.each(MALFORMED)('with %s are refused, on every kind of call', async (_what, bytes) => {
      const unary = await send('operator', { path: UPSERT, contentType: UNARY, body: [bytes] });
      expect(unary.text).toMatch(/"code":"(invalid_argument|internal)"/);
      for (const [role, path] of [
        ['agent', CONTROL],
        [undefined, JOIN],
      ] as const) {
        const { text } = await send(role, { path, contentType: STREAM, body: [envelope(bytes)] });
        expect(text).toMatch(/"code":"(invalid_argument|internal|permission_denied)"/);
        expect(text).not.toMatch(/at .*\.ts|node_modules|\/src\//);
      }
    });

    it.each([
      ['flags that are none', [envelope(Buffer.alloc(0), 0x40)]],
      ['a compressed message where nothing was said of it', [envelope(gzipSync(Buffer.alloc(10)), 1)]],
      ['an envelope cut short', [Buffer.of(0, 0, 0)]],
      [
        '10,000 heartbeats at once',
        [envelope(hello()), ...Array.from({ length: 10_000 }, () => envelope(heartbeat()))],
      ],
      ['a message that is none', [envelope(hello()), envelope(Buffer.alloc(64, 0xff))]],
    ])('on the control stream, %s ends the stream', async (_what, body) => {
      const { text, source } = await send('agent', { path: CONTROL, contentType: STREAM, body });
      // An error, or a goodbye with the reason.
      expect(text).toMatch(/"code":"\w+"|hello|too many/);
      await target().audit.expect({ code: 'agent.refused', source });
    });

    it('on the control stream, a heartbeat before hello gets a goodbye', async () => {
      const body = [envelope(heartbeat())];
      const { text } = await send('agent', { path: CONTROL, contentType: STREAM, body });
      expect(text).toContain('the first message on a stream is the hello');
    });

    it.each(['application/x-unknown', 'application/grpc+thrift', ''])(
      'of the type %j are refused',
      async (contentType) => {
        const { status } = await send('operator', { path: UPSERT, contentType, body: [Buffer.from('x')] });
        expect([415, 400]).toContain(status);
      },
    );
  });
}

/** The header of a message of this length, and no message. */
function lengthOf(bytes: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes, 1);
  return header;
}

function hello(): Uint8Array {
  const message = { case: 'hello', value: { serverId: 'sender-agent', heartbeat: {} } } as const;
  return toBinary(ControlStreamRequestSchema, create(ControlStreamRequestSchema, { message }));
}

function heartbeat(): Uint8Array {
  const message = { case: 'heartbeat', value: {} } as const;
  return toBinary(ControlStreamRequestSchema, create(ControlStreamRequestSchema, { message }));
}
