import { instanceKeyText } from '@tagplane/identity';
import { HOUR } from '@tagplane/runtime';
import type { EnrolmentView } from './view.ts';

/** A record lives 24 hours: written again when half of them are over. */
const AGAIN_MS = 12 * HOUR;
/** The most that one request may carry. */
export const MAX_RECORDS = 1_000;

interface Recorded {
  readonly view: EnrolmentView;
  readonly at: number;
}

/** What to write down. */
export interface RecordPlan {
  readonly records: readonly EnrolmentView[];
  /** `account/region/instance` whose records say what is no more. */
  readonly removed: readonly string[];
}

/** What the auth service was told of each instance, so that only what has changed is told again. */
export class RecordBook {
  readonly #recorded = new Map<string, Recorded>();

  /** What the auth service has on record from before. */
  recall(view: EnrolmentView, at: number): void {
    this.#recorded.set(instanceKeyText(view.key), { view, at });
  }

  /**
   * The changes, of each kind no more than one request may carry.
   *
   * @param complete whether there are views of all that there is to say: what has none is removed
   */
  plan(views: readonly EnrolmentView[], complete: boolean, now: number): RecordPlan {
    const records: EnrolmentView[] = [];
    const seen = new Set<string>();
    for (const view of views) {
      const id = instanceKeyText(view.key);
      seen.add(id);
      const before = this.#recorded.get(id);
      const stands = before !== undefined && isSame(before.view, view) && now - before.at < AGAIN_MS;
      if (!stands && records.length < MAX_RECORDS) records.push(view);
    }
    const gone = complete ? [...this.#recorded.keys()].filter((id) => !seen.has(id)) : [];
    return { records, removed: gone.slice(0, MAX_RECORDS) };
  }

  /** The auth service has written it down. */
  written({ records, removed }: RecordPlan, now: number): void {
    for (const view of records) {
      const id = instanceKeyText(view.key);
      // Of what has an agent the auth service knows by itself: there is nothing to keep up.
      if (view.state === 'ENROLLED') this.#recorded.delete(id);
      else this.#recorded.set(id, { view, at: now });
    }
    for (const id of removed) this.#recorded.delete(id);
  }
}

function isSame(a: EnrolmentView, b: EnrolmentView): boolean {
  return (
    a.state === b.state &&
    a.reason === b.reason &&
    a.attempts === b.attempts &&
    a.commandId === b.commandId &&
    a.nextAttemptAt === b.nextAttemptAt
  );
}
