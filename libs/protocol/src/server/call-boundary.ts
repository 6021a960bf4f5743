import { performance } from 'node:perf_hooks';
import { Code, ConnectError } from '@connectrpc/connect';
import type { HandlerContext, Interceptor } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import type { Logger } from '@tagplane/runtime';
import { isAbort } from '@tagplane/runtime';

/** One call that has ended, for metrics. */
export interface FinishedCall {
  /** Such as `tagplane.v1.NodeService/GetNode`. */
  readonly method: string;
  /** `ok`, or Connect's name of the error code, such as `not_found`. */
  readonly code: string;
  readonly seconds: number;
}

export interface BoundaryOptions {
  readonly log: Logger;
  /** The ConnectError that an error of the program's own stands for; undefined: an internal one. */
  readonly translate?: (error: unknown) => ConnectError | undefined;
  readonly onCall?: (call: FinishedCall) => void;
}

interface CallMethod {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}

/**
 * The outermost interceptor: an error that is no ConnectError is logged and leaves as INTERNAL without
 * its text; every call is reported once, when its answer, or its stream of answers, has ended.
 */
export function callBoundary(options: BoundaryOptions): Interceptor {
  return (next) => async (request) => {
    const call = startCall(options, request.method, request.signal);
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: guarded(response.message, call) };
      call.end();
      return response;
    } catch (error) {
      throw call.fail(error);
    }
  };
}

/** Runs a gate, and reports the calls that it refuses; these never reach the interceptors. */
export function reportRefusals(
  options: BoundaryOptions,
  gate: (context: HandlerContext) => void,
): (context: HandlerContext) => void {
  return (context) => {
    try {
      gate(context);
    } catch (error) {
      throw startCall(options, context.method, context.signal).fail(error);
    }
  };
}

export interface Call {
  end(): void;
  /** Reports the call and returns what the peer may know of the error. */
  fail(error: unknown): ConnectError;
}

/** Begins to measure a call; `signal` is what aborts its work, if there is such. */
export function startCall(
  options: BoundaryOptions,
  method: CallMethod,
  signal: AbortSignal | undefined,
): Call {
  const started = performance.now();
  const name = `${method.parent.typeName}/${method.name}`;
  let reported = false;
  const report = (code: string): void => {
    if (reported) return;
    reported = true;
    options.onCall?.({ method: name, code, seconds: (performance.now() - started) / 1_000 });
  };
  return {
    end() {
      report('ok');
    },
    fail(error) {
      const known =
        error instanceof ConnectError ? error : (options.translate?.(error) ?? aborted(error, signal));
      if (known === undefined) options.log.error({ event: 'rpc_failed', method: name, err: error });
      const shown = known ?? new ConnectError('internal error', Code.Internal);
      report(codeToString(shown.code));
      return shown;
    },
  };
}

function aborted(error: unknown, signal: AbortSignal | undefined): ConnectError | undefined {
  if (signal === undefined) return undefined;
  return isAbort(error, signal) ? ConnectError.from(error, Code.Canceled) : undefined;
}

/** A hand-written iterator: thousands of long streams pass here, and a generator each would double their cost. */
function guarded<Message>(messages: AsyncIterable<Message>, call: Call): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const inner = messages[Symbol.asyncIterator]();
      const onResult = (result: IteratorResult<Message>): IteratorResult<Message> => {
        if (result.done === true) call.end();
        return result;
      };
      const onError = (error: unknown): never => {
        throw call.fail(error);
      };
      return {
        next: () => inner.next().then(onResult, onError),
        // The peer is gone or reads no more.
        async return(value?: unknown) {
          call.fail(new ConnectError('the call was ended by its caller', Code.Canceled));
          return (await inner.return?.(value)) ?? { done: true, value };
        },
        async throw(error?: unknown) {
          call.fail(ConnectError.from(error, Code.Canceled));
          if (inner.throw === undefined) throw error;
          return await inner.throw(error);
        },
      };
    },
  };
}
