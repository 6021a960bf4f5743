import type { InstanceKey } from '@tagplane/identity';
import type { DescribedInstance } from '@tagplane/serverinfo';

export type InstanceState = DescribedInstance['state'];

/**
 * What EC2 should describe after a change.
 * - `tags`: these values by key; undefined: the key is not there. Only keys that the event says have
 *   changed: others it lists may have changed once more since.
 * - `state`: this one, or one that comes after it.
 * - `any`: something has changed, and the event does not say what it is now.
 */
export type Expectation =
  | { readonly kind: 'tags'; readonly tags: ReadonlyMap<string, string | undefined> }
  | { readonly kind: 'state'; readonly state: InstanceState }
  | { readonly kind: 'any' };

/** One instance's part of an event. */
export interface InstanceChange {
  readonly key: InstanceKey;
  /** When it happened, as the event says: Unix milliseconds, in whole seconds. */
  readonly at: number;
  /** Tells events of one time apart: the greater is the newer. Only tag events have one. */
  readonly version: number | undefined;
  readonly expectation: Expectation;
}

/** Which of AWS's services told of it. */
export type EventSource = 'state' | 'tag' | 'cloudtrail';

/** Why an event is of no use here, though nothing is wrong with it. */
export type IgnoreReason = 'other-event' | 'other-resource' | 'failed-call';

/** What the body of a message says. */
export type ParsedEvent =
  | {
      readonly kind: 'changes';
      /** The event's own id: equal for a duplicate. */
      readonly id: string;
      readonly source: EventSource;
      readonly changes: readonly InstanceChange[];
    }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason }
  | { readonly kind: 'malformed'; readonly reason: string };

export const malformed = (reason: string): ParsedEvent => ({ kind: 'malformed', reason });
export const ignored = (reason: IgnoreReason): ParsedEvent => ({ kind: 'ignored', reason });
