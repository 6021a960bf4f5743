import type { Logger } from '@tagplane/runtime';
import type { EnrolmentAuth } from './auth-enrolments.ts';
import type { EnrolmentBook } from './book.ts';
import type { EnrollSettings } from './config.ts';
import type { EnrolmentCandidate } from './facts.ts';
import type { EnrolmentMetrics } from './metrics.ts';
import type { SsmPlaces } from './places.ts';
import type { RecordBook } from './records.ts';

/** How often what is looked at; shorter in tests. Milliseconds. */
export interface EnrolmentPace {
  /** Between two plans. */
  readonly planMs: number;
  /** Between two lists of the instances that have an agent. */
  readonly agentsMs: number;
  /** The same while agents are awaited. */
  readonly awaitedMs: number;
  /** Between two lists of what SSM manages at a place. */
  readonly managedMs: number;
  /** Between two rounds of questions after commands under way … */
  readonly resultsMs: number;
  /** … and between two questions of a round. */
  readonly resultMs: number;
}

/** What the loops of enrolment share, for one term of the lease. */
export interface EnrolmentParts {
  readonly auth: EnrolmentAuth;
  readonly places: SsmPlaces;
  readonly book: EnrolmentBook;
  readonly records: RecordBook;
  /** Whose turn has come and for whom nothing was sent yet; no more than may be under way. */
  readonly queue: EnrolmentCandidate[];
  readonly settings: (block: number) => EnrollSettings | undefined;
  readonly metrics: EnrolmentMetrics;
  readonly log: Logger;
  readonly pace: EnrolmentPace;
  readonly facts: {
    /** Undefined until the auth service has told. */
    agents: ReadonlySet<string> | undefined;
    /** Where SSM is to be asked, by the last plan. */
    wanted: ReadonlyMap<string, EnrolmentCandidate>;
  };
}
