import { constants } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { CertificateIdentity } from '@tagplane/identity';
import type { PeerConnection } from './security.ts';

/** Who is at the other end, as found out when the handshake was done. */
export interface Identification {
  readonly identity: CertificateIdentity | undefined;
  readonly problem: string | undefined;
}

/** There are ten thousand of them: fields, no closures, and nothing of the certificate itself. */
export class TlsPeer implements PeerConnection {
  readonly remoteAddress: string;
  readonly problem: string | undefined;
  trustGeneration = 0;
  /** Once the peer speaks HTTP/2. */
  session: ServerHttp2Session | undefined;
  /** Pings and settings of late; leaks away. */
  chatter = 0;
  readonly #socket: TLSSocket;
  #identity: CertificateIdentity | undefined;

  constructor(socket: TLSSocket, remoteAddress: string, { identity, problem }: Identification) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#identity = identity;
    this.problem = problem;
  }

  get identity(): CertificateIdentity | undefined {
    return this.#identity;
  }

  renewed(identity: CertificateIdentity): void {
    if (identity.id !== this.#identity?.id) throw new Error('a connection cannot become that of another');
    this.#identity = identity;
  }

  cut(reason: string): void {
    this.end(reason, constants.NGHTTP2_NO_ERROR);
  }

  /** As `cut`, with an error code of HTTP/2. */
  end(reason: string, code: number): void {
    const { session } = this;
    if (session !== undefined && !session.destroyed) {
      session.goaway(code, 0, Buffer.from(reason));
      session.destroy(undefined, code);
    }
    this.#socket.destroy();
  }
}
