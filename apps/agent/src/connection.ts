import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import type { ServerId } from '@tagplane/identity';
import { InventoryService, createClientConnection, renewCredentials } from '@tagplane/protocol';
import type { ClientSecurity, ControlStreamRequest, ControlStreamResponse } from '@tagplane/protocol';
import type { Address } from '@tagplane/runtime';
import type { StreamEnd } from '@tagplane/session';
import { Outbox } from './outbox.ts';
import type { ConnectionSecurity } from './security.ts';

export interface ConnectionOptions {
  readonly address: Address;
  readonly serverId: ServerId;
  readonly security: ConnectionSecurity;
  /** Called for each message; the next one is read when it resolves. */
  readonly onMessage: (message: ControlStreamResponse) => Promise<void>;
  /** Called once, unless the connection was closed from here. */
  readonly onEnd: (end: StreamEnd, reason: string) => void;
}

/** One stream on one HTTP/2 connection. */
export interface Connection {
  /** At most one message of a kind waits to be written; a newer one takes its place. */
  send(kind: string, make: () => ControlStreamRequest): void;
  /** Closes this direction when all is written; the auth service then ends the stream. */
  finish(): void;
  /** A new certificate for the holder of these; the connection, and the stream, live on under it. */
  renew(current: Credentials, signal: AbortSignal): Promise<Credentials>;
  /** Drops stream and connection; resolves when nothing of them runs any more. */
  close(): Promise<void>;
}

/** Codes by which an auth service says that the same again would fail again. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.FailedPrecondition,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
]);

/** Opens a stream. Problems, that of not reaching the address among them, come by `onEnd`. */
export function openConnection(options: ConnectionOptions): Connection {
  const stop = new AbortController();
  const outbox = new Outbox<string, ControlStreamRequest>();
  const link = createClientConnection({
    address: options.address,
    security: clientSecurity(options),
  });
  const client = createClient(InventoryService, link.transport);
  const reading = read(options, client.controlStream(outbox, { signal: stop.signal, timeoutMs: 0 }), stop);
  return {
    send: (kind, make) => {
      outbox.put(kind, make);
    },
    finish: () => {
      outbox.end();
    },
    renew: (current, signal) => renewCredentials(link.transport, current, { signal }),
    close: async () => {
      stop.abort();
      outbox.end();
      link[Symbol.dispose]();
      await reading;
    },
  };
}

function clientSecurity({ serverId, security }: ConnectionOptions): ClientSecurity {
  if (security.mode === 'insecure') {
    return { mode: 'insecure', peer: { role: 'agent', name: serverId, proof: 'claimed' } };
  }
  const { keeper, sessions } = security;
  return { mode: 'mutual', credentials: () => keeper.current(), sessions };
}

async function read(
  options: ConnectionOptions,
  messages: AsyncIterable<ControlStreamResponse>,
  stop: AbortController,
): Promise<void> {
  let end: StreamEnd = { kind: 'lost' };
  let reason = 'the auth service ended the stream';
  try {
    for await (const message of messages) {
      await options.onMessage(message);
      if (stop.signal.aborted) return;
    }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (REFUSALS.has(code)) end = { kind: 'refused', reconnectAfterMs: undefined };
    reason = `${Code[code]}: ${rawMessage}`;
  }
  if (!stop.signal.aborted) options.onEnd(end, reason);
}
