import { parseInstanceKey, parseRegion } from '@tagplane/identity';
import type { InstanceId, Region } from '@tagplane/identity';
import type {
  DiscoveredInstance,
  DiscoveredPage,
  Ec2Scanner,
  InstanceState,
  Platform,
  RejectedInstance,
  ScanFilters,
} from '../discovered.ts';
import { ScanError } from '../scan-error.ts';
import type { ScanErrorKind } from '../scan-error.ts';

/** One request of a scripted scan: what it answers, and how long it takes by the global timers. */
export type FakeStep = { readonly afterMs?: number } & (
  | { readonly instances: readonly DiscoveredInstance[]; readonly rejected?: readonly RejectedInstance[] }
  | { readonly fail: Exclude<ScanErrorKind, 'aborted'> }
);

/** What a describe by ids answers: those of the ids that are there, in any order, or how it fails. */
export type FakeDescribe = (ids: readonly InstanceId[], call: number) => FakeStep;

/** The steps of each scan, by its number from 0. A scan whose steps end without `fail` is complete. */
export type FakeScript = (scan: number) => readonly FakeStep[];

export interface FakeScanner extends Ec2Scanner {
  /** Scans that were started. */
  readonly scans: number;
  /** The ids of each describe, in order. */
  readonly described: readonly (readonly InstanceId[])[];
  /** Of the latest scan. */
  readonly filters: ScanFilters | undefined;
  readonly disposed: boolean;
}

/**
 * A scanner that plays a script; under fake timers it takes virtual time only.
 *
 * @param describe default: no instance is there
 */
export function fakeScanner(
  script: FakeScript,
  region: Region = fakeRegion('eu-central-1'),
  describe: FakeDescribe = () => ({ instances: [] }),
): FakeScanner {
  const described: (readonly InstanceId[])[] = [];
  let scans = 0;
  let filters: ScanFilters | undefined;
  let disposed = false;
  return {
    region,
    get scans() {
      return scans;
    },
    described,
    get filters() {
      return filters;
    },
    get disposed() {
      return disposed;
    },
    scan: (options) => {
      const steps = script(scans);
      scans += 1;
      filters = options.filters;
      return play(steps, region, options.signal);
    },
    describe: async (ids, { signal }) => {
      const step = describe(ids, described.length);
      described.push([...ids]);
      for await (const page of play([step], region, signal)) return page;
      throw new Error('a step is a page or throws');
    },
    [Symbol.dispose]: () => {
      disposed = true;
    },
  };
}

async function* play(
  steps: readonly FakeStep[],
  region: Region,
  signal: AbortSignal,
): AsyncGenerator<DiscoveredPage, void, undefined> {
  let requests = 0;
  for (const step of steps) {
    await pause(step.afterMs ?? 0, signal);
    requests += 1;
    if (signal.aborted) throw new ScanError({ kind: 'aborted', region, requests, code: 'AbortError' });
    if ('fail' in step) throw new ScanError({ kind: step.fail, region, requests, code: 'Scripted' });
    yield { instances: step.instances, rejected: step.rejected ?? [], requests: 1 };
  }
}

/** Also ends when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

export interface FakeInstanceParts {
  readonly account?: string;
  readonly region?: string;
  readonly state?: InstanceState;
  readonly tags?: Iterable<readonly [string, string]>;
  readonly vpc?: string | undefined;
  /** Default `linux`. */
  readonly platform?: Platform;
}

/** An instance for scripts: the number becomes its id, `i-` and 17 hexadecimal digits. */
export function fakeInstance(number: number, parts: FakeInstanceParts = {}): DiscoveredInstance {
  const {
    account = '123456789012',
    region = 'eu-central-1',
    state = 'running',
    tags = [],
    platform = 'linux',
  } = parts;
  const key = parseInstanceKey({ account, region, instance: `i-${number.toString(16).padStart(17, '0')}` });
  if (key === undefined) throw new RangeError(`no instance key: ${account}, ${region}, ${number}`);
  return { key, state, tags: new Map(tags), vpc: parts.vpc, platform };
}

/** A region for scripts; throws RangeError for text that is none. */
export function fakeRegion(text: string): Region {
  const region = parseRegion(text);
  if (region === undefined) throw new RangeError(`no region: ${text}`);
  return region;
}
