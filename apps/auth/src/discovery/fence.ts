import { Code, ConnectError } from '@connectrpc/connect';
import { isPeerName, peerText } from '@tagplane/identity';
import type { Peer } from '@tagplane/identity';
import type { Fence } from '@tagplane/protocol';
import { Counter } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { GuardError } from '@tagplane/store';
import type { Guard } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import type { Caller } from '../routes/caller.ts';
import { leaseBeginning, leaseKey } from './lease.ts';
import type { Lease } from './lease.ts';
import type { Leases } from './leases.ts';

/** On whose behalf something is written. */
export interface Writer {
  /** As in a ServerInfo: `discovery/GROUP`, or `role/name`. */
  readonly origin: string;
  /** What must hold of the group's lease; undefined for who needs none. */
  readonly fence: WriterFence | undefined;
}

export interface WriterFence {
  readonly group: string;
  /** 0: written without a lease, which is good while nobody holds one. */
  readonly token: bigint;
  readonly identity: string;
}

/** Who a discovery writes for, which may be anybody that it says until the fence was looked at. */
export function fencedWriter(peer: Peer, fence: Fence | undefined): Writer & { readonly fence: WriterFence } {
  const identity = peerText(peer);
  if (fence === undefined) return { origin: identity, fence: { group: peer.name, token: 0n, identity } };
  const group = parseGroup(fence.group);
  if (fence.token === 0n) throw new ConnectError('fence.token: expected one', Code.InvalidArgument);
  return { origin: `discovery/${group}`, fence: { group, token: fence.token, identity } };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function parseGroup(group: string): string {
  if (!isPeerName(group)) {
    throw new ConnectError(
      'group: not 1 to 128 of letters, digits, ".", "_", "@", "-"',
      Code.InvalidArgument,
    );
  }
  return group;
}

/** The condition of a write to the store that has the leases. */
export function guardOf({ group, token, identity }: WriterFence): Guard {
  const key = leaseKey(group);
  return token === 0n ? { key, live: false } : { key, startsWith: leaseBeginning(token, identity) };
}

/** Decides whether a lease is good for a write, and writes down who was refused. */
export class Fences {
  readonly #leases: Leases;
  readonly #audit: Audit;
  readonly #refused: Counter;

  constructor({
    leases,
    audit,
    registry,
  }: {
    readonly leases: Leases;
    readonly audit: Audit;
    readonly registry: Registry;
  }) {
    this.#leases = leases;
    this.#audit = audit;
    this.#refused = new Counter({
      name: 'tagplane_auth_discovery_fenced_total',
      help: 'Calls of discoveries that were refused because they do not hold the lease of their group.',
      registers: [registry],
    });
  }

  /**
   * For what is written elsewhere than where the leases are: looked at now, and written at once.
   *
   * @throws ConnectError FAILED_PRECONDITION
   */
  async check(fence: WriterFence, caller: Caller, signal: AbortSignal): Promise<void> {
    const lease = await this.#leases.find(fence.group, signal);
    if (!isGood(lease, fence)) throw this.#refuse(fence, lease, caller);
  }

  /**
   * Carries out a write under the guard of the fence.
   *
   * @throws ConnectError FAILED_PRECONDITION, with what there is instead of the lease
   */
  async guarded<Result>(
    fence: WriterFence | undefined,
    caller: Caller,
    write: (guard: { readonly guard?: Guard }) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    if (fence === undefined) return await write({});
    try {
      return await write({ guard: guardOf(fence) });
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      throw this.#refuse(fence, await this.#leases.find(fence.group, signal), caller);
    }
  }

  #refuse(fence: WriterFence, lease: Lease | undefined, caller: Caller): ConnectError {
    const reason = refusalReason(fence, lease);
    this.#refused.inc();
    const details = { group: fence.group };
    this.#audit.record({ code: 'discovery.fenced', result: 'refused', ...caller, reason, details });
    return new ConnectError(reason, Code.FailedPrecondition);
  }
}

function isGood(lease: Lease | undefined, { token, identity }: WriterFence): boolean {
  if (token === 0n) return lease === undefined;
  return lease !== undefined && BigInt(lease.token) === token && lease.identity === identity;
}

function refusalReason({ group, token }: WriterFence, lease: Lease | undefined): string {
  const holder = lease && `${lease.identity} (replica ${lease.replica})`;
  if (token === 0n) {
    return `the group ${group} is led by ${holder ?? 'somebody who has just gone'}: hold its lease to write for it, or stop this discovery, or name another group in its configuration`;
  }
  if (holder === undefined) return `the lease of the group ${group} has ended: take it anew`;
  return `the lease of the group ${group} is held by ${holder} now: do not write until it is yours`;
}
