import { setImmediate as nextTurn } from 'node:timers/promises';
import { EC2Client, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import type { EC2ClientConfig, Filter } from '@aws-sdk/client-ec2';
import type { Region } from '@tagplane/identity';
import { convertReservations } from './convert.ts';
import type { DiscoveredPage, Ec2Scanner, ScanFilters, ScanOptions } from './discovered.ts';
import { ScanError, attemptsOf, classify } from './scan-error.ts';

/** The most that DescribeInstances takes: a tenth of the requests of a page of 100. */
const PAGE_SIZE = 1000;
/**
 * With full jitter and a base of 0.5 s for throttling, five attempts span about 8 s: longer than the
 * bucket of Describe calls (20/s) needs to recover from a burst, and short beside a scan's interval.
 */
const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MS = 5_000;
/** To the first byte of an answer. EC2 takes a few seconds over a page of 1,000. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Without a byte in the middle of an answer. */
const SOCKET_TIMEOUT_MS = 15_000;
/** 5 attempts of at most 30 s to the first byte, plus their backoff and the transfer. */
const PAGE_TIMEOUT_MS = 180_000;

export interface Ec2ScannerOptions {
  readonly region: Region;
  /** Default: AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL, then EC2's own, all found by the SDK. */
  readonly endpoint?: string;
  /** Default: the SDK's chain (environment, profile, container, instance role). */
  readonly credentials?: NonNullable<EC2ClientConfig['credentials']>;
  /** Tries of one request, the first included. Default 5. */
  readonly maxAttempts?: number;
  /** Bound on one page, retries included, in milliseconds. Default 180,000. */
  readonly pageTimeoutMs?: number;
}

/**
 * A scanner over the AWS SDK's own client and paginator. Its client slows down by itself when EC2
 * throttles, and keeps that pace over scans: make one scanner a region and hold on to it.
 */
export function createEc2Scanner(options: Ec2ScannerOptions): Ec2Scanner {
  const { region, endpoint, credentials, maxAttempts = MAX_ATTEMPTS } = options;
  const client = new EC2Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts,
    retryMode: 'adaptive',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SOCKET_TIMEOUT_MS,
    },
  });
  const pageTimeoutMs = options.pageTimeoutMs ?? PAGE_TIMEOUT_MS;
  return {
    region,
    scan: (scanOptions) => scan(client, region, pageTimeoutMs, scanOptions),
    [Symbol.dispose]: () => {
      client.destroy();
    },
  };
}

async function* scan(
  client: EC2Client,
  region: Region,
  pageTimeoutMs: number,
  { signal, filters }: ScanOptions,
): AsyncGenerator<DiscoveredPage, void, undefined> {
  using deadline = createDeadline(pageTimeoutMs);
  const abortSignal = AbortSignal.any([signal, deadline.signal]);
  const pages = paginateDescribeInstances({ client, pageSize: PAGE_SIZE }, describeInput(filters), {
    abortSignal,
  });
  let requests = 0;
  for (;;) {
    deadline.start();
    const next = await pages.next().catch((error: unknown) => {
      throw scanError(error, region, requests, { signal, deadline: deadline.signal });
    });
    deadline.stop();
    if (next.done === true) return;
    const page = next.value;
    const attempts = page.$metadata.attempts ?? 1;
    requests += attempts;
    if (page.Reservations === undefined) {
      // An empty region still has its (empty) set: this was a proxy, or a cut-off answer.
      throw new ScanError({ kind: 'other', region, requests, code: 'MalformedResponse' });
    }
    const converted = convertReservations(page.Reservations, region);
    // The paginator holds its last page until the next one has arrived: emptied, it costs nothing.
    delete page.Reservations;
    yield { ...converted, requests: attempts };
    // Parsing a page is one long step: whatever else waits gets its turn before the next.
    await nextTurn();
  }
}

function describeInput(filters: ScanFilters | undefined): { Filters?: Filter[] } {
  const tags = Object.entries(filters?.tags ?? {});
  if (tags.length === 0) return {};
  return {
    Filters: tags.map(([key, values]) =>
      values.length === 0 ? { Name: 'tag-key', Values: [key] } : { Name: `tag:${key}`, Values: [...values] },
    ),
  };
}

function scanError(
  error: unknown,
  region: Region,
  requestsBefore: number,
  signals: { signal: AbortSignal; deadline: AbortSignal },
): ScanError {
  const requests = requestsBefore + attemptsOf(error);
  if (signals.signal.aborted) {
    return new ScanError({ kind: 'aborted', region, requests, code: 'AbortError' }, { cause: error });
  }
  if (signals.deadline.aborted) {
    return new ScanError({ kind: 'unreachable', region, requests, code: 'PageTimeout' }, { cause: error });
  }
  return new ScanError({ ...classify(error), region, requests }, { cause: error });
}

/** A signal that aborts when `start` was not followed by `stop` in time. */
function createDeadline(ms: number): {
  readonly signal: AbortSignal;
  start(): void;
  stop(): void;
  [Symbol.dispose](): void;
} {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
  };
  return {
    signal: controller.signal,
    start: () => {
      timer = setTimeout(() => {
        controller.abort();
      }, ms);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
