import type { Sent, ServerInfoDraft } from '@tagplane/serverinfo';

/** One request to make. `era` is the store's life in which it was planned. */
export type Dispatch =
  | { readonly action: 'upsert'; readonly era: number; readonly items: readonly DispatchItem[] }
  | {
      readonly action: 'delete';
      readonly era: number;
      readonly names: readonly string[];
      /** How many of them came ahead of a scan. */
      readonly urgent: number;
    };

export interface DispatchItem {
  readonly draft: ServerInfoDraft;
  readonly sent: Sent;
  /** How the change was learned of; undefined for a renewal. */
  readonly source: 'event' | 'poll' | undefined;
}

/** What the auth service said of one item; `unanswered` when it said nothing of it. */
export type ItemResult =
  | { readonly status: 'accepted' }
  | { readonly status: 'invalid' | 'denied'; readonly reason: string }
  | { readonly status: 'unanswered' };
