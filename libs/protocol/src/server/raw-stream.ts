import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, DescMethodBiDiStreaming, MessageShape } from '@bufbuild/protobuf';
import { createValidator, violationsToProto } from '@bufbuild/protovalidate';
import type { Validator } from '@bufbuild/protovalidate';
import { Code, ConnectError } from '@connectrpc/connect';
import { endStreamToJson } from '@connectrpc/connect/protocol-connect';
import type { Peer } from '@tagplane/identity';
import { PEER_HEADER } from '../limits.ts';
import { peerBehind, unidentified } from '../peer.ts';
import type { Call } from './call-boundary.ts';
import { startCall } from './call-boundary.ts';
import { EnvelopeReader, dataEnvelope, endEnvelope } from './envelopes.ts';
import type { RpcOptions } from './rpc-options.ts';
import type { PeerConnection } from './security.ts';

/** The answering side of one stream. Every method may be called at any time, also after the end. */
export interface RawStream<Response> {
  readonly peer: Peer;
  /** What it came on; undefined without TLS. */
  readonly connection: PeerConnection | undefined;
  /** False: send nothing more before `drain`. */
  send(message: Response): boolean;
  /** Ends the stream after what was sent, with this error if there is one. */
  close(error?: unknown): void;
  /** Ends it at once, also when the peer reads nothing. */
  destroy(): void;
}

export interface RawStreamListener<Request> {
  /** A message that keeps the rules of its type. */
  message(message: Request): void;
  /** The peer will send nothing more. */
  requestsEnded(): void;
  /** What came is no message, or breaks the rules of its type; the stream ends with this error. */
  refused?(error: ConnectError): void;
  /** There is room for messages again. */
  drain(): void;
  /** Called once, when all is over, by whichever side. */
  end(): void;
}

/** A method in both directions that is served from the HTTP/2 stream itself. */
export interface RawMethod {
  readonly path: string;
  serve(
    options: RpcOptions,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: PeerConnection | undefined,
  ): void;
}

export type OpenRawStream<I extends DescMessage, O extends DescMessage> = (
  stream: RawStream<MessageShape<O>>,
) => RawStreamListener<MessageShape<I>>;

const CONTENT_TYPE = 'application/connect+proto';

/** `open` may throw a ConnectError to refuse the call. */
export function rawMethod<I extends DescMessage, O extends DescMessage>(
  method: DescMethodBiDiStreaming<I, O>,
  open: OpenRawStream<I, O>,
): RawMethod {
  const validator = createValidator();
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    serve(options, stream, headers, connection) {
      const call = startCall(options, method, undefined);
      const answer = new Answer(stream, { method, validator, call, connection });
      stream.respond({ ':status': 200, 'content-type': CONTENT_TYPE });
      try {
        const peer = peerBehind(connection, String(headers[PEER_HEADER] ?? ''));
        options.authorise(method, peer, connection);
        if (peer === undefined) throw unidentified(connection);
        answer.start(peer, open);
      } catch (error) {
        answer.close(error);
      }
    },
  };
}

/** Whether a request is the Connect protocol's plainest form: binary, uncompressed, without a deadline. */
export function isPlainStream(headers: IncomingHttpHeaders): boolean {
  return (
    headers[':method'] === 'POST' &&
    headers['content-type'] === CONTENT_TYPE &&
    (headers['connect-content-encoding'] ?? 'identity') === 'identity' &&
    headers['connect-timeout-ms'] === undefined
  );
}

interface AnswerParts<I extends DescMessage, O extends DescMessage> {
  readonly method: DescMethodBiDiStreaming<I, O>;
  readonly validator: Validator;
  readonly call: Call;
  readonly connection: PeerConnection | undefined;
}

class Answer<I extends DescMessage, O extends DescMessage> implements RawStream<MessageShape<O>> {
  readonly #stream: ServerHttp2Stream;
  readonly #parts: AnswerParts<I, O>;
  readonly #envelopes = new EnvelopeReader();
  readonly #onBody = (body: Uint8Array): void => {
    if (!this.#closed) this.#listener?.message(this.#decode(body));
  };
  #listener: RawStreamListener<MessageShape<I>> | undefined;
  #peer: Peer | undefined;
  #closed = false;

  constructor(stream: ServerHttp2Stream, parts: AnswerParts<I, O>) {
    this.#stream = stream;
    this.#parts = parts;
    // Without a listener, a connection that breaks would end the process; `close` follows.
    stream.on('error', ignore);
    // The peer need not end its side to be rid of the stream.
    stream.on('finish', closeStream);
    stream.on('close', () => {
      this.#over();
    });
  }

  get peer(): Peer {
    if (this.#peer === undefined) throw unidentified(this.connection);
    return this.#peer;
  }

  get connection(): PeerConnection | undefined {
    return this.#parts.connection;
  }

  start(peer: Peer, open: OpenRawStream<I, O>): void {
    this.#peer = peer;
    const listener = open(this);
    this.#listener = listener;
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => {
      this.#read(chunk);
    });
    stream.on('end', () => {
      this.#requestsEnded();
    });
    stream.on('drain', () => {
      listener.drain();
    });
  }

  send(message: MessageShape<O>): boolean {
    if (this.#closed || this.#stream.destroyed) return true;
    try {
      return this.#stream.write(dataEnvelope(toBinary(this.#parts.method.output, message)));
    } catch (error) {
      this.close(error);
      return true;
    }
  }

  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const { call } = this.#parts;
    const shown = error === undefined ? undefined : call.fail(error);
    call.end();
    if (this.#stream.destroyed) return;
    // What still comes is read and dropped.
    this.#stream.resume();
    this.#stream.end(endEnvelope(endStreamToJson(new Headers(), shown, undefined)));
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      this.#envelopes.read(chunk, this.#onBody);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #decode(body: Uint8Array): MessageShape<I> {
    const { method, validator } = this.#parts;
    let message;
    try {
      message = fromBinary(method.input, body);
    } catch (error) {
      throw new ConnectError(`not a ${method.input.typeName}`, Code.InvalidArgument, {}, [], error);
    }
    const result = validator.validate(method.input, message);
    if (result.kind === 'valid') return message;
    const [value, desc] = violationsToProto(result.violations ?? []);
    const { message: reason } = result.error;
    throw new ConnectError(reason, Code.InvalidArgument, {}, [{ desc, value }], result.error);
  }

  #requestsEnded(): void {
    // A stream that was reset ends as well; `close` follows.
    if (this.#closed || this.#stream.aborted) return;
    if (this.#envelopes.complete) this.#listener?.requestsEnded();
    else this.#refuse(new ConnectError('the stream ends within a message', Code.InvalidArgument));
  }

  #refuse(error: unknown): void {
    if (error instanceof ConnectError) this.#listener?.refused?.(error);
    this.close(error);
  }

  #over(): void {
    this.#closed = true;
    this.#parts.call.fail(new ConnectError('the call was ended by its caller', Code.Canceled));
    this.#listener?.end();
  }
}

function closeStream(this: ServerHttp2Stream): void {
  this.close(constants.NGHTTP2_NO_ERROR);
}

function ignore(): void {
  // Reported by the call's own end.
}
