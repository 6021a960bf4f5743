import type { RejectedKey } from './server-info.ts';

/** More than a resource has tags; AWS's own come on top of its 50. */
export const MAX_REJECTED = 64;
const MAX_KEY = 128;
const MAX_REASON = 200;

/** These as they may be sent and stored: so many, each cut to a length that fits a line or two. */
export function clipRejected(rejected: readonly RejectedKey[]): readonly RejectedKey[] {
  return rejected.slice(0, MAX_REJECTED).map(({ key, reason }) => ({
    key: clip(key, MAX_KEY),
    reason: clip(reason, MAX_REASON),
  }));
}

/** What is wrong with them, for a person; it names none of them. */
export function rejectedProblem(rejected: readonly RejectedKey[]): string | undefined {
  if (rejected.length > MAX_REJECTED) {
    return `${rejected.length} rejected tags, but at most ${MAX_REJECTED} are taken`;
  }
  for (const { key, reason } of rejected) {
    if (isLonger(key, MAX_KEY)) return `the key of a rejected tag is longer than ${MAX_KEY} characters`;
    if (isLonger(reason, MAX_REASON)) {
      return `the reason of a rejected tag is longer than ${MAX_REASON} characters`;
    }
  }
  return undefined;
}

/** Characters as Unicode counts them. */
function isLonger(text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || Array.from(text).length > max);
}

/** Well-formed, so that it arrives as it was sent. */
function clip(text: string, max: number): string {
  const formed = text.toWellFormed();
  if (!isLonger(formed, max)) return formed;
  return `${Array.from(formed.slice(0, 2 * max))
    .slice(0, max - 1)
    .join('')}…`;
}
