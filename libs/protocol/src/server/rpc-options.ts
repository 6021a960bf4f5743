import type { DescMethod } from '@bufbuild/protobuf';
import type { ConnectRouterOptions } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { createValidateInterceptor } from '@connectrpc/validate';
import type { Peer } from '@tagplane/identity';
import { MAX_MESSAGE_BYTES } from '../limits.ts';
import { identifyPeer, knownPeer } from '../peer.ts';
import type { BoundaryOptions } from './call-boundary.ts';
import { callBoundary, reportRefusals } from './call-boundary.ts';
import { connectionOf } from './security.ts';
import type { PeerConnection } from './security.ts';

export interface RpcOptions extends BoundaryOptions {
  /**
   * Throws a ConnectError to refuse a call of this method by this peer (undefined: it did not say who
   * it is) on this connection (undefined: without TLS). Asked before the request's body is read.
   */
  readonly authorise: (
    method: DescMethod,
    peer: Peer | undefined,
    connection: PeerConnection | undefined,
  ) => void;
}

/**
 * What every call passes, for a router in a server or in memory: who the peer is, whether it may, the
 * rules of the message (protovalidate), limits of size, and the error boundary.
 */
export function rpcOptions(options: RpcOptions): ConnectRouterOptions {
  return {
    requestGate: reportRefusals(options, (context) => {
      identifyPeer(context);
      options.authorise(context.method, knownPeer(context), connectionOf(context));
    }),
    interceptors: [callBoundary(options), createValidateInterceptor()],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    acceptCompression: [compressionGzip],
  };
}
