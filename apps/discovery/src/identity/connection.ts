import type { Transport } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { TlsSessions, createClientConnection } from '@tagplane/protocol';
import type { Address } from '@tagplane/runtime';

/** One connection to the auth service, as whoever holds the credentials of the moment. */
export interface MutualConnection extends Disposable {
  readonly transport: Transport;
  /** Drops the connection: the next call opens one under the credentials there are then. */
  reopen(): void;
}

export function mutualConnection(address: Address, credentials: () => Credentials): MutualConnection {
  const sessions = new TlsSessions();
  const open = () => createClientConnection({ address, security: { mode: 'mutual', credentials, sessions } });
  let link = open();
  return {
    transport: {
      unary: (...call) => link.transport.unary(...call),
      stream: (...call) => link.transport.stream(...call),
    },
    reopen() {
      link[Symbol.dispose]();
      link = open();
    },
    [Symbol.dispose]() {
      link[Symbol.dispose]();
    },
  };
}
