import { hash } from 'node:crypto';
import { parseDiscoveredName, placeOfName } from './names.ts';
import { unpackLabels } from './pack.ts';

/** `labels`: some would be taken away or changed. `gone`: all of them go, with the instance. */
export type Loss = 'labels' | 'gone';

/** What would be lost on one instance. */
export interface Losing {
  /** Of its ServerInfo. */
  readonly name: string;
  readonly loss: Loss;
  /** Revision of the labels that it would have then; `gone` when it would have none. */
  readonly target: string;
}

/** What would be lost in one scope, summed up for whoever is asked. */
export interface ScopeLoss {
  /** `aws/ACCOUNT/REGION`, or `aws/ACCOUNT/REGION/gone`, which has thresholds of its own. */
  readonly scope: string;
  /** Equal for equal losses, whatever their order. */
  readonly fingerprint: string;
  readonly losing: readonly Losing[];
  /** How many of them count: an instance that lost something just before is not counted again. */
  readonly fresh: number;
  /** Instances of the scope that have labels now. */
  readonly total: number;
}

const NO_LABELS_PACKED = '[]';

/** Whether there are labels in this packed set. */
export function hasLabels(packed: string | undefined): packed is string {
  return packed !== undefined && packed !== NO_LABELS_PACKED;
}

/**
 * What an instance with these packed labels would lose if it had the next ones (undefined: none, because it
 * is no longer there). Labels that are only added are no loss.
 */
export function lossOf(held: string | undefined, next: string | undefined): Loss | undefined {
  if (!hasLabels(held) || held === next) return undefined;
  if (next === undefined) return 'gone';
  const after = unpackLabels(next);
  for (const [key, value] of unpackLabels(held)) if (after.get(key) !== value) return 'labels';
  return undefined;
}

/** The auth service's own defaults, for when it cannot be asked: 20 instances and three tenths of a scope. */
const LARGE = { nodes: 20, share: 0.3 };

/** Whether a loss is not to go on without an answer. */
export function isLargeLoss({ fresh, total }: Pick<ScopeLoss, 'fresh' | 'total'>): boolean {
  return fresh >= LARGE.nodes && fresh >= LARGE.share * total;
}

/** `aws/ACCOUNT/REGION` of a discovered ServerInfo's name; undefined for any other name. */
export function scopeOfName(name: string): string | undefined {
  const key = parseDiscoveredName(name);
  return key && `aws/${key.account}/${key.region}`;
}

/**
 * Losses by the scopes they are in.
 *
 * @param labelledAt how many instances of a place have labels now; the place as `placeOfName` gives it
 * @param isFresh whether an instance is to be counted
 */
export function sumUpLosses(
  losses: Iterable<Losing>,
  labelledAt: (place: string) => number,
  isFresh: (losing: Losing) => boolean = () => true,
): ScopeLoss[] {
  const byScope = new Map<string, Losing[]>();
  for (const losing of losses) {
    const scope = lossScope(losing);
    if (scope === undefined) continue;
    const others = byScope.get(scope);
    if (others === undefined) byScope.set(scope, [losing]);
    else others.push(losing);
  }
  return [...byScope].map(([scope, losing]) => {
    losing.sort(byName);
    // What has run out while it waited is in no total any more.
    const total = Math.max(losing.length, labelledAt(placeOfName(losing[0]?.name ?? '')));
    const fresh = losing.filter(isFresh).length;
    return { scope, fingerprint: fingerprintOf(losing), losing, fresh, total };
  });
}

const GONE = '/gone';

function lossScope({ name, loss }: Losing): string | undefined {
  const scope = scopeOfName(name);
  return scope === undefined || loss === 'labels' ? scope : scope + GONE;
}

/** 128 bits of SHA-256. */
function fingerprintOf(losing: readonly Losing[]): string {
  const text = JSON.stringify(losing.map(({ name, target }) => [name, target]));
  return hash('sha256', text, 'hex').slice(0, 32);
}

function byName(a: Losing, b: Losing): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
