import type { StatementSigner } from '@tagplane/credentials';
import type { PeerConnection, ServerCredentials } from '@tagplane/protocol';
import type { Logger } from '@tagplane/runtime';
import { Registry, SECOND, fullJitter, isAbort, runTasks, sleep } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { StoreUnavailableError, followFeed } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { createGate } from '../control/wakeup.ts';
import type { Authority } from './authority.ts';
import { createCaMetrics } from './ca-metrics.ts';
import { NO_COPY } from './ca-copy.ts';
import type { CaCopy } from './ca-copy.ts';
import { CA_KEY } from './ca-record.ts';
import { ensureCa } from './ca-store.ts';
import { reportFollowing } from './follower-report.ts';
import { HeldAuthority } from './held-authority.ts';
import type { Rotated, CaStatus } from './rotate-step.ts';
import { caStatus, rotateStep } from './rotate-step.ts';
import type { RotationStep } from './rotation.ts';
import { UntrustedPeers } from './untrusted-peers.ts';
import { keepUp } from './upkeep.ts';

export interface ClusterAuthorityOptions {
  readonly store: Store;
  /** Of this process; in its certificate. */
  readonly authId: string;
  readonly cluster: string;
  readonly sealingKey: Uint8Array;
  /** How long certificates are good for. */
  readonly certificateTtlMs: number;
  readonly audit: Audit;
  /** Of the authority, outside the store. Default: none. */
  readonly copy?: CaCopy;
  readonly log: Logger;
  readonly registry?: Registry;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** Those of this process that are open; asked when it runs. */
  readonly connections: () => Iterable<PeerConnection>;
}

/** The authority with what running and rotating it takes. */
export interface ClusterAuthority extends Authority {
  /** Why this process cannot do its part, for readiness; undefined: it can. */
  readonly problem: string | undefined;
  /** What the server proves itself with from now on. */
  serverCredentials(): ServerCredentials;
  /** Signs what outlives a connection, as this process, from now on. */
  signer(): StatementSigner;
  /**
   * Called after the server's credentials, or what is trusted, changed; `trust().generation` tells which.
   * The returned function ends it.
   */
  onChange(listener: () => void): () => void;
  /** @throws StoreUnavailableError */
  status(signal: AbortSignal): Promise<CaStatus>;
  /**
   * One step of a rotation, or none.
   *
   * @param options.force also when somebody would be left behind
   * @throws StoreUnavailableError
   */
  rotate(
    step: RotationStep,
    options: { readonly force: boolean; readonly signal: AbortSignal },
  ): Promise<Rotated>;
  /** Follows the store, renews the own certificate and reports who follows, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Nothing is served without an authority: the store is asked again at once, then every few seconds. */
const RETRY = { baseMs: SECOND / 5, maxMs: 5 * SECOND };
const MIN_RETRY_MS = 20;

/**
 * The cluster's authority, made at the first start of all. While the store is away at the start it waits;
 * later the authority as it was last known stands.
 *
 * @throws ConfigError when the key is not the one it was sealed with, or it is another cluster's
 */
export async function openClusterAuthority(
  options: ClusterAuthorityOptions,
  signal: AbortSignal,
): Promise<ClusterAuthority> {
  const { store, authId, log, audit, connections, now = () => Date.now() } = options;
  const { copy = NO_COPY } = options;
  const { ca, revision, source } = await whenReachable(
    () => ensureCa({ ...options, copy, now: now(), signal }),
    options,
    signal,
  );
  if (source !== 'found') {
    const [pin] = ca.pins;
    log.info({ event: `ca_${source}`, cluster: options.cluster, pin });
    const code = source === 'created' ? 'ca.created' : 'ca.restored';
    audit.record({ code, result: 'ok', details: { cluster: options.cluster, pin } });
  }
  await copy.write(ca.record);
  const held = await HeldAuthority.open({ ...options, now }, ca, revision);
  const metrics = createCaMetrics(options.registry ?? new Registry(), () => held.reading());
  const untrusted = watchDropped(held);
  const changed = createGate();
  held.onChange(() => {
    changed.open();
    void copy.write(held.ca.record);
  });
  return {
    cluster: options.cluster,
    get problem() {
      return held.problem;
    },
    trust: () => held.trust(),
    pins: () => held.ca.pins,
    async issue(subject, kind = 'join') {
      const made = await held.issue(subject);
      metrics.issued(subject.role, kind);
      return made;
    },
    identify: (certificate) => held.identify(certificate),
    serverCredentials: () => held.serverCredentials(),
    signer: () => held.signer(),
    onChange: (listener) => held.onChange(listener),
    status: (stop) => caStatus(held, options, stop),
    rotate: (step, { force, signal: stop }) => rotateStep(held, { ...options, now }, step, force, stop),
    async run(stop) {
      await runTasks(stop, {
        feed: (end) => followRecord(held, options, end),
        upkeep: (end) => keepUp(held, { log, now }, end),
        report: (end) => reportFollowing(held, { store, authId, connections, changed }, end),
        untrusted: (end) =>
          untrusted.run(
            {
              connections,
              trusts: (pin) => held.ca.pins.includes(pin),
              onCut: (count) => {
                log.warn({ event: 'untrusted_peers_cut', connections: count });
              },
            },
            end,
          ),
      });
    },
  };
}

async function whenReachable<Result>(
  attempt: () => Promise<Result>,
  { log }: Pick<ClusterAuthorityOptions, 'log'>,
  signal: AbortSignal,
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (isAbort(error, signal) || !(error instanceof StoreUnavailableError)) throw error;
      log.warn({ event: 'ca_waits_for_store', err: error });
      await sleep(Math.max(MIN_RETRY_MS, fullJitter(failures, RETRY)), signal);
    }
  }
}

async function followRecord(
  held: HeldAuthority,
  { store }: Pick<ClusterAuthorityOptions, 'store'>,
  signal: AbortSignal,
): Promise<void> {
  await followFeed(
    store,
    {
      reset: () => held.refresh(signal),
      async changes(changes) {
        if (changes.some(({ key }) => key === CA_KEY)) await held.refresh(signal);
      },
    },
    { signal },
  );
}

/** Remembers which authorities are dropped from now on. */
function watchDropped(held: HeldAuthority): UntrustedPeers {
  const untrusted = new UntrustedPeers();
  let trusted: readonly string[] = held.ca.pins;
  held.onChange(() => {
    const present = held.ca.pins;
    const dropped = trusted.filter((pin) => !present.includes(pin));
    trusted = present;
    if (dropped.length > 0) untrusted.dropped(new Set(dropped));
  });
  return untrusted;
}
