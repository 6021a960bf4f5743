import type { AccountId } from '@tagplane/identity';
import {
  HOUR,
  MINUTE,
  SECOND,
  deadline,
  fullJitter,
  isAbort,
  jittered,
  runTasks,
  sleep,
} from '@tagplane/runtime';
import type { Logger, Task } from '@tagplane/runtime';
import { ALL_REGIONS } from './fields.ts';
import type { EstateBlock, OrganizationRules } from './config.ts';
import type { EstateBook } from './estate-book.ts';
import type { EstateLookups } from './lookups.ts';
import { partitionOf } from './partition.ts';
import type { Partition } from './partition.ts';
import { pickAccounts } from './pick-accounts.ts';
import { accountsOf } from './plan-scopes.ts';
import { problemText } from './problem.ts';

/** A region is opened or closed by hand, and in use some minutes later at best. */
const REGIONS_EVERY_MS = HOUR;
/** Whoever puts a role right waits for it: at most the ten minutes. */
const RETRY = { baseMs: 30 * SECOND, maxMs: 10 * MINUTE };
const JITTER = 0.1;
/** New accounts of an organisation are looked at within this time. */
const LOOK_EVERY_MS = SECOND;
/** While regions are asked for, scopes begin this often. */
const TELL_EVERY_MS = SECOND;
/** A few hundred accounts are done in a minute, and no service is overrun. */
const LOOKUPS_AT_ONCE = 4;
/** Beyond that the start goes on without. */
const OWN_ACCOUNT_MS = 3 * SECOND;

export interface FollowParts {
  readonly blocks: readonly EstateBlock[];
  readonly book: EstateBook;
  readonly lookups: EstateLookups;
  /** Something was found out, or could not be. */
  readonly changed: () => void;
  readonly log: Logger;
}

/** The partitions in which the process's own credentials are scanned with. */
function ownPartitions(blocks: readonly EstateBlock[], book: EstateBook): Set<Partition> {
  const own = blocks.filter((block, index) => accountsOf(block, index, book) === 'own');
  return new Set(
    own.flatMap(({ regions, partition = 'aws' }) =>
      regions.map((region) => (region === ALL_REGIONS ? partition : partitionOf(region))),
    ),
  );
}

/** Finds out whose the own credentials are, as far as STS tells soon; their scopes do without otherwise. */
export async function learnOwnAccounts(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const { blocks, book, lookups, log } = parts;
  using limit = deadline(signal, OWN_ACCOUNT_MS);
  const unknown = [...ownPartitions(blocks, book)].filter((each) => book.ownAccount(each) === undefined);
  await Promise.all(
    unknown.map(async (partition) => {
      try {
        book.noteOwn(partition, await lookups.ownAccount(partition, limit.signal));
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        log.info({ event: 'own_account_unknown', partition, reason: problemText(error) });
      }
    }),
  );
}

/** Follows accounts and regions as they come and go, until the signal aborts. */
export async function followEstate(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const organizations = parts.blocks.flatMap((block, index): [string, Task][] => {
    const { organization } = block;
    if (organization === undefined) return [];
    return [[`organization ${index}`, (own) => followAccounts(parts, { block, index, organization }, own)]];
  });
  await runTasks(signal, {
    ...Object.fromEntries(organizations),
    regions: (own) => followRegions(parts, own),
    own: (own) => followOwn(parts, own),
  });
}

async function followOwn(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const { blocks, book } = parts;
  for (;;) {
    await sleep(jittered(REGIONS_EVERY_MS, JITTER), signal);
    const before = [...ownPartitions(blocks, book)].map((each) => book.ownAccount(each));
    if (before.every((account) => account !== undefined)) continue;
    await learnOwnAccounts(parts, signal);
    parts.changed();
  }
}

interface OrganizationBlock {
  readonly block: EstateBlock;
  readonly index: number;
  readonly organization: OrganizationRules;
}

async function followAccounts(
  parts: FollowParts,
  { block, index, organization }: OrganizationBlock,
  signal: AbortSignal,
): Promise<void> {
  const { book, lookups, changed, log } = parts;
  for (let failures = 0; ;) {
    try {
      const listed = await lookups.accounts(block, organization, signal);
      const picked = pickAccounts(listed, organization);
      // More likely somebody's mistake than the end of all accounts at once.
      if (picked.length === 0) throw new Error(nonePicked(listed.length));
      book.noteAccounts(index, picked);
      failures = 0;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      failures += 1;
      const reason = problemText(error);
      book.failedAccounts(index, reason);
      log.warn({ event: 'accounts_not_listed', block: index, failures, reason });
    }
    changed();
    const retry = { ...RETRY, maxMs: Math.min(RETRY.maxMs, organization.poll_interval) };
    await sleep(
      failures === 0 ? jittered(organization.poll_interval, JITTER) : fullJitter(failures - 1, retry),
      signal,
    );
  }
}

function nonePicked(listed: number): string {
  return `of ${listed} accounts in the organization include and exclude leave none: those known before stay`;
}

/** Whose regions are to be asked for. */
interface RegionTarget {
  readonly block: EstateBlock;
  readonly index: number;
  readonly account: AccountId | undefined;
}

interface RegionState {
  dueAt: number;
  failures: number;
}

async function followRegions(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const states = new Map<string, RegionState>();
  for (;;) {
    const now = Date.now();
    const targets = new Map(
      regionTargets(parts).map((target) => [`${target.index} ${target.account}`, target]),
    );
    for (const key of states.keys()) if (!targets.has(key)) states.delete(key);
    const due = [...targets].filter(([key]) => (states.get(key)?.dueAt ?? 0) <= now);
    if (due.length > 0) await lookUpAll(parts, due, states, signal);
    await sleep(LOOK_EVERY_MS, signal);
  }
}

async function lookUpAll(
  parts: FollowParts,
  due: readonly (readonly [string, RegionTarget])[],
  states: Map<string, RegionState>,
  signal: AbortSignal,
): Promise<void> {
  const next = due.values();
  let toldAt = 0;
  await Promise.all(
    Array.from({ length: LOOKUPS_AT_ONCE }, async () => {
      for (const [key, target] of next) {
        const state = states.get(key) ?? { dueAt: 0, failures: 0 };
        states.set(key, state);
        await lookUpRegions(parts, target, state, signal);
        // Every change goes through all scopes: a thousand accounts are not a thousand changes.
        if (Date.now() - toldAt < TELL_EVERY_MS) continue;
        parts.changed();
        toldAt = Date.now();
      }
    }),
  );
  parts.changed();
}

function regionTargets({ blocks, book }: FollowParts): RegionTarget[] {
  return blocks.flatMap((block, index) => {
    if (!block.regions.includes(ALL_REGIONS)) return [];
    const accounts = accountsOf(block, index, book) ?? [];
    return (accounts === 'own' ? [undefined] : accounts).map((account) => ({ block, index, account }));
  });
}

async function lookUpRegions(
  { book, lookups, log }: FollowParts,
  { block, index, account }: RegionTarget,
  state: RegionState,
  signal: AbortSignal,
): Promise<void> {
  try {
    book.noteRegions(index, account, await lookups.regions(block, account, signal));
    state.failures = 0;
    state.dueAt = Date.now() + jittered(REGIONS_EVERY_MS, JITTER);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const reason = problemText(error);
    book.failedRegions(index, account, reason);
    state.dueAt = Date.now() + fullJitter(state.failures, RETRY);
    state.failures += 1;
    log.warn({ event: 'regions_not_listed', block: index, account, failures: state.failures, reason });
  }
}
