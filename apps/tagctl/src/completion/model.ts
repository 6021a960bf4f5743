import type { Command, Option } from 'commander';

/** What a completion script knows of a command. */
export interface CommandModel {
  readonly name: string;
  readonly description: string;
  /** Its own and those of all commands above it. */
  readonly flags: readonly FlagModel[];
  readonly commands: readonly CommandModel[];
  /** What may stand in the place of its first argument. */
  readonly argument: ArgumentModel;
}

export interface FlagModel {
  /** `--force`, and `-f` if it has one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export type ArgumentModel =
  | { readonly kind: 'file' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  /** None, or one that a script cannot know. */
  | { readonly kind: 'other' };

export function commandModel(command: Command, above: readonly FlagModel[] = []): CommandModel {
  const help = command.createHelp();
  const own = help.visibleOptions(command).map(flagModel);
  const known = new Set(own.flatMap(({ names }) => names));
  const flags = [...own, ...above.filter(({ names }) => !names.some((name) => known.has(name)))];
  return {
    name: command.name(),
    description: command.description(),
    flags,
    commands: help.visibleCommands(command).map((child) => commandModel(child, flags)),
    argument: argumentModel(command),
  };
}

/** Every place in the tree: the words that lead to it, and what is known there. */
export function places(
  model: CommandModel,
  words: readonly string[] = [],
): { readonly words: readonly string[]; readonly model: CommandModel }[] {
  return [{ words, model }, ...model.commands.flatMap((child) => places(child, [...words, child.name]))];
}

/** All flags of the tree that take a value, once each. */
export function valueFlags(model: CommandModel): FlagModel[] {
  const all = places(model).flatMap((place) => place.model.flags.filter(({ takesValue }) => takesValue));
  return [...new Map(all.map((flag) => [flag.names.join(), flag])).values()];
}

function flagModel(option: Option): FlagModel {
  return {
    names: [option.long, option.short].filter((name) => name !== undefined),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

function argumentModel(command: Command): ArgumentModel {
  const argument = command.registeredArguments[0];
  if (argument === undefined) return { kind: 'other' };
  if (argument.argChoices !== undefined) return { kind: 'choices', choices: argument.argChoices };
  return { kind: argument.name() === 'FILE' ? 'file' : 'other' };
}
