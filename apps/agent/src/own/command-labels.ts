import { MAX_VALUE_CHARACTERS, labelProblem } from '@tagplane/labels';
import type { Logger } from '@tagplane/runtime';
import { SECOND, jittered, runTasks, sleep } from '@tagplane/runtime';
import type { Clock } from '../clock.ts';
import type { LabelCommand } from './command-field.ts';
import { wordAge } from './last-word.ts';
import type { LastWord } from './last-word.ts';
import { runCommand } from './run-command.ts';
import { Slots } from './slots.ts';

/** A label of a command, as of now. Milliseconds. */
export interface CommandLabelView {
  readonly name: string;
  /** Undefined: the command never said one. */
  readonly value: string | undefined;
  readonly ageMs: number | undefined;
  /** 0: it counts no more. */
  readonly remainingMs: number;
  /** Why the last run brought no value; undefined: it did, or there was none yet. */
  readonly problem: string | undefined;
}

export interface CommandLabelsOptions {
  readonly commands: readonly LabelCommand[];
  readonly clock: Clock;
  readonly random?: () => number;
  /** Told of each run. */
  readonly ran: (name: string, result: 'ok' | 'failed') => void;
  readonly log: Logger;
}

/** Many commands must not take the machine's cores at once. */
const PARALLEL = 4;
/** The first runs are spread over this, or over the period when that is shorter. */
const START_MS = 10 * SECOND;
const JITTER = 0.1;
/** A value, every character of four bytes, and as much white space around it. */
const MAX_OUTPUT_BYTES = 8 * MAX_VALUE_CHARACTERS;

interface CommandState {
  word: LastWord<string> | undefined;
  problem: string | undefined;
}

/** The labels whose values programs say, each asked in its own period. */
export class CommandLabels {
  readonly #options: CommandLabelsOptions;
  readonly #states: readonly { readonly command: LabelCommand; readonly state: CommandState }[];
  #changes = 0;
  readonly #slots = new Slots(PARALLEL);

  constructor(options: CommandLabelsOptions) {
    this.#options = options;
    this.#states = options.commands.map((command) => ({
      command,
      state: { word: undefined, problem: undefined },
    }));
  }

  /** Runs the commands until the signal aborts; none is left running then. */
  async run(signal: AbortSignal): Promise<void> {
    const tasks = this.#states.map(({ command, state }, index) => {
      const task = (stop: AbortSignal): Promise<void> => this.#repeat(command, state, stop);
      return [`command ${index}`, task] as const;
    });
    await runTasks(signal, Object.fromEntries(tasks));
  }

  /** Rises with each value that was said. */
  get changes(): number {
    return this.#changes;
  }

  view(): readonly CommandLabelView[] {
    const now = this.#options.clock();
    return this.#states.map(({ command: { name, periodMs }, state: { word, problem } }) => {
      if (word === undefined) return { name, value: undefined, ageMs: undefined, remainingMs: 0, problem };
      return { name, value: word.value, ...wordAge(word, periodMs, now), problem };
    });
  }

  async #repeat(command: LabelCommand, state: CommandState, signal: AbortSignal): Promise<void> {
    const { random = Math.random } = this.#options;
    await sleep(random() * Math.min(START_MS, command.periodMs), signal);
    for (;;) {
      await this.#slots.use(() => this.#once(command, state, signal), signal);
      await sleep(jittered(command.periodMs, JITTER, random), signal);
    }
  }

  async #once({ name, command, timeoutMs }: LabelCommand, state: CommandState, signal: AbortSignal) {
    const { clock, ran, log } = this.#options;
    // As of its start: what it says may have changed since.
    const at = clock();
    const outcome = await runCommand(command, { timeoutMs, maxBytes: MAX_OUTPUT_BYTES }, signal);
    const value = outcome.kind === 'printed' ? outcome.text.trim() : '';
    const problem = outcome.kind === 'failed' ? outcome.problem : labelProblem(name, value);
    ran(name, problem === undefined ? 'ok' : 'failed');
    if (problem === undefined) {
      state.word = { value, at };
      this.#changes += 1;
    }
    if (problem === state.problem) return;
    state.problem = problem;
    if (problem === undefined) log.info({ event: 'label_command_recovered', label: name });
    else log.warn({ event: 'label_command_failed', label: name, reason: problem });
  }
}
