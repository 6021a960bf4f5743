import type { Labels } from '@tagplane/labels';
import { equalLabels } from '@tagplane/labels';
import type { ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import type { LabelTarget } from './target.ts';
import { matchText, sameMatch } from './target.ts';
import type { LabelWord } from './words.ts';

/** What was asked for. */
export type LabelOrder =
  /** With a ttl (milliseconds), until that has passed from now; without, until they are unset. */
  | { readonly kind: 'set'; readonly labels: Labels; readonly ttlMs: number | undefined }
  | { readonly kind: 'unset'; readonly words: readonly LabelWord[] };

/** What that makes of the ServerInfo there is. */
export type LabelPlan =
  /** As a new one, or as one of the revision that was seen. */
  | { readonly kind: 'write'; readonly draft: ServerInfoDraft; readonly createOnly: boolean }
  /** Its last label goes. */
  | { readonly kind: 'remove' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly reason: string };

/** @param now Unix milliseconds */
export function planLabels(
  order: LabelOrder,
  target: LabelTarget,
  there: ServerInfo | undefined,
  now: number,
): LabelPlan {
  if (there !== undefined && !sameMatch(there.match, target.match)) {
    const reason = `ServerInfo ${target.name} is for ${matchText(there.match)}, not ${matchText(target.match)}; give another --name`;
    return { kind: 'refused', reason };
  }
  return order.kind === 'set' ? planSet(order, target, there) : planUnset(order.words, target, there, now);
}

function planSet(
  { labels, ttlMs }: Extract<LabelOrder, { kind: 'set' }>,
  target: LabelTarget,
  there: ServerInfo | undefined,
): LabelPlan {
  const merged = new Map([...(there?.labels ?? []), ...labels]);
  if (there === undefined) return written(target, merged, ttlMs, undefined);
  const others = [...there.labels.keys()].filter((key) => !labels.has(key));
  const sameEnd = ttlMs === undefined && there.expiresAt === undefined;
  if (others.length > 0 && !sameEnd) return { kind: 'refused', reason: otherEnd(target.name, there, others) };
  if (sameEnd && equalLabels(merged, there.labels)) return { kind: 'nothing' };
  return written(target, merged, ttlMs, there.revision);
}

/** All labels of a ServerInfo end together: none is given another end by the way. */
function otherEnd(name: string, there: ServerInfo, others: readonly string[]): string {
  const end =
    there.expiresAt === undefined ? 'no end' : `its end at ${new Date(there.expiresAt).toISOString()}`;
  return `ServerInfo ${name} has ${end}, which ${others.join(', ')} would lose; give --name to keep these apart`;
}

function planUnset(
  words: readonly LabelWord[],
  target: LabelTarget,
  there: ServerInfo | undefined,
  now: number,
): LabelPlan {
  if (there === undefined) return { kind: 'nothing' };
  const left = new Map(there.labels);
  for (const { key, value } of words) {
    if (value === undefined || left.get(key) === value) left.delete(key);
  }
  if (left.size === there.labels.size) return { kind: 'nothing' };
  const leftMs = there.expiresAt === undefined ? undefined : there.expiresAt - now;
  if (left.size === 0 || (leftMs !== undefined && leftMs <= 0)) return { kind: 'remove' };
  return written(target, left, leftMs, there.revision);
}

function written(
  { name, match }: LabelTarget,
  labels: Labels,
  ttlMs: number | undefined,
  revision: number | undefined,
): LabelPlan {
  const draft = { name, match, labels, observedAt: undefined, ttlMs };
  if (revision === undefined) return { kind: 'write', draft, createOnly: true };
  return { kind: 'write', draft: { ...draft, expectedRevision: revision }, createOnly: false };
}
