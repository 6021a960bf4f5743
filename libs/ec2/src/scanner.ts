import { setImmediate as nextTurn } from 'node:timers/promises';
import { paginateDescribeInstances } from '@aws-sdk/client-ec2';
import type { EC2Client, Filter } from '@aws-sdk/client-ec2';
import type { InstanceId, Region } from '@tagplane/identity';
import { createEc2Client } from './client.ts';
import type { Ec2ClientOptions } from './client.ts';
import { convertReservations } from './convert.ts';
import { createDeadline } from './deadline.ts';
import type {
  DiscoveredInstance,
  DiscoveredPage,
  Ec2Scanner,
  RejectedInstance,
  ScanOptions,
} from './discovered.ts';
import { matchesFilters, queriesOf } from './filters.ts';
import { pace } from './pacing.ts';
import type { RequestPacer } from './quota/request-pacer.ts';
import { ScanError, toScanError } from './scan-error.ts';

/** The most that DescribeInstances takes: a tenth of the requests of a page of 100. */
const PAGE_SIZE = 1000;
/** 5 attempts of at most 30 s to the first byte, plus their backoff and the transfer. */
const PAGE_TIMEOUT_MS = 180_000;
/** EC2 takes 200 values in a filter; of a hundred, the answer takes half a megabyte. */
const MAX_DESCRIBED = 100;

export interface Ec2ScannerOptions extends Ec2ClientOptions {
  /** Asked before every attempt. Default: no pacing. */
  readonly pacer?: RequestPacer;
  /** Bound on one page, retries included and waiting for the pacer not, in milliseconds. Default 180,000. */
  readonly pageTimeoutMs?: number;
}

/** What the pages of one query have in common. */
interface Source {
  readonly client: EC2Client;
  readonly region: Region;
  readonly pacer: RequestPacer | undefined;
  readonly pageTimeoutMs: number;
}

/**
 * A scanner over the AWS SDK's own client and paginator. It keeps connections: make one scanner a region
 * and set of credentials, and hold on to it.
 */
export function createEc2Scanner(options: Ec2ScannerOptions): Ec2Scanner {
  const { region, pacer, pageTimeoutMs = PAGE_TIMEOUT_MS } = options;
  const client = createEc2Client(options);
  const source = { client, region, pacer, pageTimeoutMs };
  return {
    region,
    scan: (scanOptions) => scan(source, scanOptions),
    describe: (ids, { signal }) => describeIds(source, ids, signal),
    [Symbol.dispose]: () => {
      client.destroy();
    },
  };
}

async function* scan(
  source: Source,
  { signal, filters = {} }: ScanOptions,
): AsyncGenerator<DiscoveredPage, void, undefined> {
  let requests = 0;
  for (const query of queriesOf(filters)) {
    for await (const page of pagesOf(source, query, { signal, requests })) {
      requests += page.requests;
      // What EC2 has no filter for is left out here, by the same rules as for instances asked for by id.
      yield { ...page, instances: page.instances.filter((instance) => matchesFilters(instance, filters)) };
    }
  }
}

async function describeIds(
  source: Source,
  ids: readonly InstanceId[],
  signal: AbortSignal,
): Promise<DiscoveredPage> {
  if (ids.length > MAX_DESCRIBED) throw new RangeError(`${ids.length} ids are more than ${MAX_DESCRIBED}`);
  const instances: DiscoveredInstance[] = [];
  const rejected: RejectedInstance[] = [];
  let requests = 0;
  if (ids.length === 0) return { instances, rejected, requests };
  // As InstanceIds, one id that EC2 does not know would fail the request for all of them.
  const query = [{ Name: 'instance-id', Values: [...ids] }];
  for await (const page of pagesOf(source, query, { signal, requests: 0 })) {
    instances.push(...page.instances);
    rejected.push(...page.rejected);
    requests += page.requests;
  }
  return { instances, rejected, requests };
}

/** @param already requests of the scan before this query, for the error that may end it */
async function* pagesOf(
  source: Source,
  filters: Filter[],
  { signal, requests: already }: { readonly signal: AbortSignal; readonly requests: number },
): AsyncGenerator<DiscoveredPage, void, undefined> {
  const { client, region, pacer, pageTimeoutMs } = source;
  using deadline = createDeadline(pageTimeoutMs);
  const abortSignal = AbortSignal.any([signal, deadline.signal]);
  const pages = paginateDescribeInstances(
    {
      client,
      pageSize: PAGE_SIZE,
      withCommand: (command) => {
        pace(command, { pacer, signal: abortSignal, clock: deadline });
        return command;
      },
    },
    filters.length === 0 ? {} : { Filters: filters },
    { abortSignal },
  );
  let requests = already;
  for (;;) {
    deadline.reset();
    deadline.start();
    const next = await pages.next().catch((error: unknown) => {
      throw toScanError(error, { region, requests, aborted: signal.aborted, late: deadline.signal.aborted });
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
