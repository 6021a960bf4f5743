import { instanceKeyText } from '@tagplane/identity';
import type { RecordedEnrolment } from './auth-enrolments.ts';
import { ARRIVAL_MS, COMMAND_MS } from './book.ts';
import type { EnrolmentBook } from './book.ts';
import type { RecordBook } from './records.ts';
import { ANY_BLOCK } from './starts.ts';
import type { Standing } from './tries.ts';
import { REASONS } from './view.ts';

/** Goes on where the leader before left off: a restart is no reason to try anything sooner, or twice. */
export function recallAttempts(
  recorded: readonly RecordedEnrolment[],
  { book, records }: { readonly book: EnrolmentBook; readonly records: RecordBook },
): void {
  for (const each of recorded) {
    const { view, recordedAt } = each;
    records.recall(view, recordedAt);
    const standing = standingOf(each);
    if (standing === undefined) continue;
    const { attempts } = view;
    book.starts.record(ANY_BLOCK, recordedAt);
    book.recall(instanceKeyText(view.key), { block: ANY_BLOCK, attempts, standing });
  }
}

function standingOf({ view, recordedAt }: RecordedEnrolment): Standing | undefined {
  const { state, reason, commandId, nextAttemptAt } = view;
  if (state === 'FAILED') return { phase: 'failed', reason, commandId, retryAt: nextAttemptAt ?? recordedAt };
  // A claim without a command: whether one was sent, nobody knows. It is over when the claim is.
  if (state !== 'PENDING' || commandId === '') return undefined;
  const carriedOut = reason === REASONS.carriedOut;
  return carriedOut
    ? { phase: 'carried-out', commandId, until: recordedAt + ARRIVAL_MS }
    : { phase: 'commanded', commandId, until: recordedAt + COMMAND_MS };
}
