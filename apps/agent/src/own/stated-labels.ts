import type { Labels } from '@tagplane/labels';
import { NO_LABELS } from '@tagplane/labels';
import type { Task } from '@tagplane/runtime';
import type { CommandLabelView, CommandLabels } from './command-labels.ts';
import type { ImportedLabels, ImportedView } from './imported-labels.ts';

/** What a node says of itself, as of now. */
export interface StatedView {
  /** By its configuration. */
  readonly configured: Labels;
  readonly commands: readonly CommandLabelView[];
  /** Undefined: instance metadata is not asked. */
  readonly imported: ImportedView | undefined;
}

/** The labels that a node has by its own word. */
export class StatedLabels {
  readonly #configured: Labels;
  readonly #commands: CommandLabels | undefined;
  readonly #imported: ImportedLabels | undefined;

  constructor(configured: Labels, commands?: CommandLabels, imported?: ImportedLabels) {
    this.#configured = configured;
    this.#commands = commands;
    this.#imported = imported;
  }

  /** What has to run for them. */
  tasks(): Readonly<Record<string, Task>> {
    const commands = this.#commands;
    const imported = this.#imported;
    return {
      ...(commands && { 'label commands': (signal: AbortSignal) => commands.run(signal) }),
      ...(imported && { 'tag import': (signal: AbortSignal) => imported.run(signal) }),
    };
  }

  /** Rises with each change of what is said. */
  get changes(): number {
    return (this.#commands?.changes ?? 0) + (this.#imported?.changes ?? 0);
  }

  view(): StatedView {
    return {
      configured: this.#configured,
      commands: this.#commands?.view() ?? NO_COMMANDS,
      imported: this.#imported?.view(),
    };
  }
}

const NO_COMMANDS: readonly CommandLabelView[] = [];

/** The node's own labels that count: configured ones, and those of commands. */
export function ownLabels({ configured, commands }: StatedView): Labels {
  const counting = countingCommands(commands);
  return counting.size === 0 ? configured : new Map([...configured, ...counting]);
}

/** The labels of commands that count. */
export function countingCommands(commands: readonly CommandLabelView[]): Labels {
  return new Map(
    commands.flatMap(({ name, value, remainingMs }) =>
      value === undefined || remainingMs <= 0 ? [] : [[name, value] as const],
    ),
  );
}

/** The imported labels that count, if nobody else says what is in their namespace. */
export function importedLabels({ imported }: StatedView): Labels {
  return imported === undefined || imported.remainingMs <= 0 ? NO_LABELS : imported.labels;
}
