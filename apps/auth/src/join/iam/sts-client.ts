import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SECOND, deadline } from '@tagplane/runtime';
import type { JoinMetrics } from '../metrics.ts';
import { readCallerIdentity, readErrorCode } from './caller-identity.ts';
import type { CallerIdentity } from './caller-identity.ts';
import { createLimiter } from './limiter.ts';
import { GET_CALLER_IDENTITY } from './signed-request.ts';
import type { StsRequest } from './signed-request.ts';

export type StsAnswer =
  | { readonly result: 'ok'; readonly caller: CallerIdentity }
  /** STS's own code, such as `SignatureDoesNotMatch`. */
  | { readonly result: 'refused'; readonly code: string }
  /** In time, nothing came that STS would say. */
  | { readonly result: 'unavailable' };

export interface StsClient {
  /** Rejects only with the signal's reason. */
  getCallerIdentity(request: StsRequest, signal: AbortSignal): Promise<StsAnswer>;
}

/** STS answers in tens of milliseconds. */
const DEADLINE_MS = 5 * SECOND;
/** An answer has less than 1 KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Together with the deadline: at least six new requests a second though STS answers none. */
const AT_ONCE = 32;
/** STS's way to say that it has too much to do; some come with the status 400. */
const BUSY = /^(Throttling(Exception)?|RequestLimitExceeded|RequestThrottled(Exception)?)$/;

/** @param endpoint asked instead of the host that was signed for, whose name still goes into the header */
export function createStsClient(options: {
  readonly endpoint: URL | undefined;
  readonly metrics: Pick<JoinMetrics, 'stsRequests'>;
  readonly deadlineMs?: number;
}): StsClient {
  const { endpoint, metrics, deadlineMs = DEADLINE_MS } = options;
  const limiter = createLimiter(AT_ONCE);
  const ask = async (request: StsRequest, signal: AbortSignal): Promise<StsAnswer> => {
    using limit = deadline(signal, deadlineMs);
    try {
      return readAnswer(await post(request, endpoint, limit.signal));
    } catch {
      signal.throwIfAborted();
      return { result: 'unavailable' };
    }
  };
  return {
    async getCallerIdentity(request, signal) {
      const answer = await limiter.run(() => ask(request, signal), signal);
      metrics.stsRequests.inc({ result: answer.result });
      return answer;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function post(request: StsRequest, endpoint: URL | undefined, signal: AbortSignal): Promise<Answer> {
  const url = endpoint ?? new URL(`https://${request.host}/`);
  const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = send(url, {
      method: 'POST',
      path: '/',
      headers: {
        ...request.headers,
        host: request.host,
        'content-length': String(GET_CALLER_IDENTITY.length),
      },
      // Otherwise taken from the Host header, which is another one with an endpoint of our own.
      servername: url.hostname,
      // Joins are rare, and a connection that was closed meanwhile would fail one of them.
      agent: false,
      signal,
    });
    outgoing.once('response', resolve).once('error', reject);
    outgoing.end(GET_CALLER_IDENTITY);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}

function readAnswer({ status, body }: Answer): StsAnswer {
  if (status === 200) {
    const caller = readCallerIdentity(body);
    return caller === undefined ? { result: 'unavailable' } : { result: 'ok', caller };
  }
  const code = status === 400 || status === 403 ? readErrorCode(body) : undefined;
  return code === undefined || BUSY.test(code) ? { result: 'unavailable' } : { result: 'refused', code };
}
