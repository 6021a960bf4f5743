import { connect } from 'node:http2';
import type { SecureClientSessionOptions } from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { Http2SessionManager, createConnectTransport } from '@connectrpc/connect-node';
import { formatAddress } from '@tagplane/runtime';
import type { Dial } from './sockets.ts';
import { tlsOptions } from './sockets.ts';

export interface AttackerClient extends Disposable {
  readonly transport: Transport;
}

/** Connect over HTTP/2 with whatever certificate, from whatever address; none of the project's own client. */
export function connectClient(dial: Dial): AttackerClient {
  const baseUrl = `https://${formatAddress(dial.address)}`;
  const options: SecureClientSessionOptions = tlsOptions(dial);
  const sessions = new Http2SessionManager(baseUrl, {}, options);
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: '2',
    sessionManager: sessions,
    defaultTimeoutMs: 15_000,
  });
  return {
    transport,
    [Symbol.dispose]() {
      sessions.abort();
    },
  };
}

/** What a call came to: `ok`, or the name of its error code and what the service said. */
export interface Outcome {
  readonly code: string;
  readonly message: string;
}

export async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
    return { code: 'ok', message: '' };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code: Code[code], message: rawMessage };
  }
}

/** An HTTP/2 session of node's own, for what Connect's client does not do. */
export function openSession(dial: Dial): ReturnType<typeof connect> {
  const session = connect(`https://${formatAddress(dial.address)}`, tlsOptions(dial));
  session.on('error', () => undefined);
  return session;
}
