import type { Labels } from '@tagplane/labels';
import { NO_LABELS, equalLabels } from '@tagplane/labels';
import type { Logger } from '@tagplane/runtime';
import { HOUR, jittered, sleep } from '@tagplane/runtime';
import type { Clock } from '../clock.ts';
import { askTags } from './ask-tags.ts';
import type { TagsAnswer } from './ask-tags.ts';
import { wordAge } from './last-word.ts';
import type { LastWord } from './last-word.ts';

/** The tags that instance metadata said, as of now. Milliseconds. */
export interface ImportedView {
  /** Under `aws/`. */
  readonly labels: Labels;
  readonly ageMs: number | undefined;
  /** 0: they count no more. */
  readonly remainingMs: number;
  /** Why there are none, or why they are not newer; undefined: they are as they should be. */
  readonly problem: string | undefined;
}

export interface ImportedLabelsOptions {
  readonly endpoint: string;
  readonly clock: Clock;
  /** Told of each attempt. */
  readonly asked: (result: TagsAnswer['kind']) => void;
  readonly log: Logger;
}

const PERIOD_MS = HOUR;
const JITTER = 0.1;

/** The instance's tags by instance metadata: at start, and then hourly, whether it answers or not. */
export class ImportedLabels {
  readonly #options: ImportedLabelsOptions;
  #word: LastWord<Labels> | undefined;
  #changes = 0;
  #problem: string | undefined;

  constructor(options: ImportedLabelsOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#once(signal);
      await sleep(jittered(PERIOD_MS, JITTER), signal);
    }
  }

  /** Rises with each answer. */
  get changes(): number {
    return this.#changes;
  }

  view(): ImportedView {
    const problem = this.#problem;
    if (this.#word === undefined) return { labels: NO_LABELS, ageMs: undefined, remainingMs: 0, problem };
    return { labels: this.#word.value, ...wordAge(this.#word, PERIOD_MS, this.#options.clock()), problem };
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { endpoint, clock, asked, log } = this.#options;
    const at = clock();
    const answer = await askTags(endpoint, signal);
    asked(answer.kind);
    const before = this.#problem;
    if (answer.kind !== 'ok') {
      this.#problem = answer.reason;
      // Said once: on most instances it stays so, and there is nothing wrong with it.
      if (before === undefined)
        log.info({ event: 'tags_not_imported', reason: answer.reason, fix: answer.fix });
      return;
    }
    const { labels, leftOut } = answer;
    const news = this.#word === undefined || before !== undefined || !equalLabels(this.#word.value, labels);
    this.#word = { value: labels, at };
    this.#changes += 1;
    this.#problem = undefined;
    if (news) log.info({ event: 'tags_imported', labels: labels.size, left_out: leftOut });
  }
}
