import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { JoinResponseSchema, connectionOf, instanceToMessage } from '@tagplane/protocol';
import type { JoinProof, JoinRequest, JoinResponse, JoinService, JoinStart } from '@tagplane/protocol';
import { DeadlineError, SECOND, deadline } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { JoinExchange } from '../join/join-exchange.ts';
import type { ExchangeParts, Joined } from '../join/join-exchange.ts';
import { reportJoin } from '../join/join-report.ts';
import type { Failure, JoinAttempt } from '../join/join-report.ts';
import type { JoinMetrics } from '../join/metrics.ts';
import { joinRoleOf } from '../join/roles.ts';
import type { Refusal } from '../join/verifier.ts';

type Join = ServiceImpl<typeof JoinService>['join'];

/** A signature of STS and back takes a second; who needs longer holds a place that others want. */
const EXCHANGE_MS = 30 * SECOND;
const MAX_EXCHANGES = 256;
const BUSY = 'too many joins are under way';
const TOO_LONG = 'the exchange took too long';

export interface JoinRouteOptions extends ExchangeParts {
  readonly audit: Audit;
  readonly metrics: JoinMetrics;
  /** Exchanges at once. Default 256. */
  readonly maxExchanges?: number;
  /** For a whole exchange. Default 30,000. */
  readonly deadlineMs?: number;
}

/** The exchange in which a process gets its first certificate. */
export function joinRoute(options: JoinRouteOptions): Join {
  const { metrics, maxExchanges = MAX_EXCHANGES, deadlineMs = EXCHANGE_MS } = options;
  let underWay = 0;
  const count = (change: 1 | -1): void => {
    underWay += change;
    metrics.exchanges.set(underWay);
  };
  return async function* join(requests, context) {
    const attempt: JoinAttempt = { remoteAddress: connectionOf(context)?.remoteAddress };
    if (underWay >= maxExchanges) {
      reportJoin(options, attempt, failure(BUSY));
      throw new ConnectError(BUSY, Code.ResourceExhausted);
    }
    using limit = deadline(context.signal, deadlineMs);
    using _place = takePlace(count, limit.signal);
    yield* exchange(options, { requests, attempt, signal: limit.signal });
  };
}

/**
 * A place among the exchanges, given back when the exchange is over or its time is: one whose caller
 * reads nothing stays where it is until its connection is cut.
 */
function takePlace(count: (change: 1 | -1) => void, signal: AbortSignal): Disposable {
  let taken = true;
  const giveBack = (): void => {
    signal.removeEventListener('abort', giveBack);
    if (taken) count(-1);
    taken = false;
  };
  count(1);
  signal.addEventListener('abort', giveBack, { once: true });
  return { [Symbol.dispose]: giveBack };
}

interface Call {
  readonly requests: AsyncIterable<JoinRequest>;
  readonly attempt: JoinAttempt;
  readonly signal: AbortSignal;
}

/** Every end is reported, once, as soon as it is known: the caller may read no further. */
async function* exchange(
  options: JoinRouteOptions,
  { requests, attempt, signal }: Call,
): AsyncGenerator<JoinResponse, void, undefined> {
  let end: Joined | Refusal | Failure = failure('the caller left');
  let reported = false;
  const report = (): void => {
    if (!reported) reportJoin(options, attempt, end);
    reported = true;
  };
  try {
    const messages = requests[Symbol.asyncIterator]();
    const exchanged = beginExchange(options, startOf(await next(messages, signal)), attempt);
    const { nonce, cluster } = exchanged;
    yield response({ case: 'challenge', value: { nonce, cluster } });
    const proof = proofOf(await next(messages, signal));
    if (proof.method.case !== undefined) attempt.method = proof.method.case;
    end = await abortable(exchanged.finish(proof, signal), signal);
    report();
    if (!end.ok) throw refused(end);
    yield issuedResponse(end);
  } catch (error) {
    end = failure(failureReason(error));
    throw error instanceof DeadlineError ? new ConnectError(TOO_LONG, Code.DeadlineExceeded) : error;
  } finally {
    report();
  }
}

function beginExchange(options: ExchangeParts, start: JoinStart, attempt: JoinAttempt): JoinExchange {
  const role = joinRoleOf(start.role);
  if (role === undefined) throw new ConnectError('nobody joins as that', Code.InvalidArgument);
  attempt.role = role;
  attempt.name = start.name;
  const { name, publicKey } = start;
  return new JoinExchange(options, { role, name, publicKey, remoteAddress: attempt.remoteAddress });
}

function refused({ code, reason }: Refusal): ConnectError {
  return new ConnectError(reason, code === 'denied' ? Code.PermissionDenied : Code.Unavailable);
}

async function next(
  messages: AsyncIterator<JoinRequest>,
  signal: AbortSignal,
): Promise<JoinRequest | undefined> {
  const result = await abortable(messages.next(), signal);
  return result.done === true ? undefined : result.value;
}

/** The promise's end, or the signal's if that is first: a stream's next message may never come. */
async function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function startOf(request: JoinRequest | undefined): JoinStart {
  if (request?.message.case === 'start') return request.message.value;
  throw new ConnectError('the start is expected first', Code.InvalidArgument);
}

function proofOf(request: JoinRequest | undefined): JoinProof {
  if (request?.message.case === 'proof') return request.message.value;
  throw new ConnectError('the proof is expected after the challenge', Code.InvalidArgument);
}

function failure(reason: string): Failure {
  return { ok: false, code: 'failed', reason };
}

/** Texts of our own only: an unexpected error's could hold what the caller sent. */
function failureReason(error: unknown): string {
  if (error instanceof DeadlineError) return TOO_LONG;
  if (error instanceof StoreUnavailableError) return 'the store cannot be reached';
  if (error instanceof ConnectError) return error.rawMessage;
  return 'internal error';
}

function issuedResponse({ issued, identity }: Joined): JoinResponse {
  const { instance } = identity.peer;
  return response({
    case: 'issued',
    value: {
      certificates: [...issued.certificates],
      trust: { generation: BigInt(issued.generation), authorities: [...issued.authorities] },
      identity: identity.id,
      ...(instance === undefined ? {} : { awsInstance: instanceToMessage(instance) }),
    },
  });
}

function response(
  message: NonNullable<MessageInitShape<typeof JoinResponseSchema>['message']>,
): JoinResponse {
  return create(JoinResponseSchema, { message });
}
