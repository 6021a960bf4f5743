import type { Change } from '@tagplane/store';
import type { Tables } from './tables.ts';

export interface Position {
  readonly revision: number;
  readonly epoch: string;
}

/** The feed's end. */
export function feedEnd(tables: Tables): Position {
  const state = tables.state.get();
  if (state === undefined) throw new Error('the kind is not in the file any more');
  return { revision: state.last, epoch: state.epoch };
}

/**
 * What follows a position, at most `limit` changes.
 *
 * @returns undefined when the feed does not hold the position: it was trimmed past it, the file was
 *   replaced by another, or writes were lost
 */
export function changesAfter(tables: Tables, after: Position, limit: number): readonly Change[] | undefined {
  if (feedEnd(tables).epoch !== after.epoch) return undefined;
  const [held, ...rows] = tables.changes.all(after.revision, limit + 1);
  if (held?.revision !== after.revision) return undefined;
  return rows.map(({ type, key, revision }) => ({ type, key, revision }) as Change);
}
