import {
  MAX_LABELS_PER_NAMESPACE,
  MAX_SYSTEM_LABELS,
  awsLabelKey,
  isSystemLabel,
  labelProblem,
  sortedEntries,
} from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { compileGlob } from './glob.ts';
import type { RejectedKey } from './server-info.ts';

/** Which of an instance's tags become labels, and under which names. */
export interface CarryRules {
  /** Patterns of tag keys: only these are carried. `*` and `?` as in a glob. */
  readonly allow: readonly string[];
  /** These are not, whatever `allow` says. */
  readonly deny: readonly string[];
  /** Other names for tag keys, after `allow` and `deny` have had their say about the tag's own. */
  readonly rename: ReadonlyMap<string, string>;
  /** Labels for every instance, without `aws/`. Each beats a tag of that name. */
  readonly labels: Labels;
}

/** What a set of tags becomes. */
export interface Carried {
  /** With their namespace, `aws/`. */
  readonly labels: Labels;
  readonly rejected: readonly RejectedKey[];
}

/** Rules made fit to be asked: tags in, labels out. */
export type Carry = (tags: Labels) => Carried;

/** Different sets of rejected tags that are kept to be shared: a fleet has few. */
const MAX_SHARED = 1_000;
const NOTHING_REJECTED: readonly RejectedKey[] = [];

/** A tag on its way: the name it gets, or why it stays behind. */
interface Candidate {
  readonly tag: string;
  readonly name: string;
  readonly value: string;
}

/** Every tag under its own name, as far as a namespace holds them. */
export const carryAll: Carry = compileCarryRules({
  allow: ['*'],
  deny: [],
  rename: new Map(),
  labels: new Map(),
});

/**
 * What cannot be carried is listed, never silently gone. Of two tags that would have one name the one that has
 * it by itself goes on, else the first in key order; of more than a namespace holds (AWS's own tags are
 * counted apart) the last in key order stay behind. So every scan rejects the same ones.
 */
export function compileCarryRules(rules: CarryRules): Carry {
  const refuse = compileRefusal(rules);
  const share = createSharing();
  const ordered = rules.rename.size > 0;
  return (tags) => {
    const rejected: RejectedKey[] = [];
    const reject = (key: string, reason: string): void => void rejected.push({ key, reason });
    const candidates: Candidate[] = [];
    for (const [tag, value] of inOrder(tags, ordered)) {
      const refusal = refuse(tag);
      if (refusal !== undefined) reject(tag, refusal);
      else candidates.push({ tag, name: rules.rename.get(tag) ?? tag, value });
    }
    const labels = fill(rules.labels, candidates, reject);
    return { labels, rejected: rejected.length === 0 ? NOTHING_REJECTED : share(rejected) };
  };
}

/** Why the rules leave a tag behind, for a person. */
function compileRefusal({ allow, deny }: CarryRules): (tag: string) => string | undefined {
  const denied = deny.map((pattern) => ({ pattern, matches: compileGlob(pattern) }));
  const allowed = allow.map(compileGlob);
  const all = allow.includes('*');
  return (tag) => {
    const by = denied.find(({ matches }) => matches(tag));
    if (by !== undefined) return `import.deny has ${JSON.stringify(by.pattern)}`;
    return all || allowed.some((matches) => matches(tag)) ? undefined : 'import.allow does not have it';
  };
}

function fill(
  added: Labels,
  candidates: readonly Candidate[],
  reject: (tag: string, reason: string) => void,
): Labels {
  const labels = new Map<string, string>();
  for (const [name, value] of added) labels.set(awsLabelKey(name), value);
  const room = { user: MAX_LABELS_PER_NAMESPACE - labels.size, system: MAX_SYSTEM_LABELS };
  const own = candidates.some(({ tag, name }) => tag !== name) ? ownNames(candidates) : undefined;
  for (const { tag, name, value } of candidates) {
    const key = awsLabelKey(name);
    const kind = isSystemLabel(key) ? 'system' : 'user';
    const problem = labelProblem(key, value);
    if (problem !== undefined) reject(tag, problem);
    else if (added.has(name)) reject(tag, `labels has a ${JSON.stringify(name)} of its own`);
    else if (labels.has(key) || (tag !== name && own?.has(name) === true)) {
      reject(tag, `another tag is called ${JSON.stringify(name)} already`);
    } else if (room[kind] <= 0) reject(tag, 'the instance has more tags than labels are kept');
    else {
      labels.set(key, value);
      room[kind] -= 1;
    }
  }
  return labels;
}

function ownNames(candidates: readonly Candidate[]): ReadonlySet<string> {
  return new Set(candidates.filter(({ tag, name }) => tag === name).map(({ name }) => name));
}

/** Sorted only where it matters: some may have to stay behind, or two may want one name. */
function inOrder(tags: Labels, always: boolean): Iterable<[string, string]> {
  return !always && tags.size <= MAX_SYSTEM_LABELS ? tags : sortedEntries(tags);
}

/** Equal lists become one: a rule that leaves tags behind leaves the same ones behind everywhere. */
function createSharing(): (rejected: readonly RejectedKey[]) => readonly RejectedKey[] {
  const shared = new Map<string, readonly RejectedKey[]>();
  return (rejected) => {
    const key = JSON.stringify(rejected.map((each) => [each.key, each.reason]));
    const known = shared.get(key);
    if (known !== undefined) return known;
    if (shared.size >= MAX_SHARED) shared.clear();
    shared.set(key, rejected);
    return rejected;
  };
}
