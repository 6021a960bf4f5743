import type { CommandModel, FlagModel } from './model.ts';
import { places, valueFlags } from './model.ts';

/** A script for fish 3 and later. */
export function fishScript(model: CommandModel): string {
  const all = places(model);
  const known = all.filter(({ words }) => words.length > 0).map(({ words }) => quoted(placeText(words)));
  const values = valueFlags(model).flatMap(({ names }) => names);
  return `# fish completion for ${model.name}
function __${model.name}_at
  set -l words (commandline -opc)
  set -e words[1]
  set -l place ''
  set -l skip no
  for word in $words
    if test $skip = yes
      set skip no
      continue
    end
    switch $word
      case ${values.join(' ')}
        set skip yes
      case '-*'
      case '*'
        if contains -- "$place $word" ${known.join(' ')}
          set place "$place $word"
        end
    end
  end
  test "$place" = "$argv[1]"
end
complete -c ${model.name} -f
${all.flatMap(({ words, model: at }) => completions(model.name, placeText(words), at)).join('\n')}
`;
}

function completions(program: string, place: string, model: CommandModel): string[] {
  const start = `complete -c ${program} -n ${quoted(`__${program}_at ${quoted(place)}`)}`;
  return [
    ...model.commands.map(({ name, description }) => `${start} -a ${name} -d ${quoted(description)}`),
    ...model.flags.map((flag) => `${start} ${flagText(flag)}`),
    ...(model.argument.kind === 'file' ? [`${start} -F`] : []),
    ...(model.argument.kind === 'choices' ? [`${start} -a ${quoted(model.argument.choices.join(' '))}`] : []),
  ];
}

function flagText({ names, description, takesValue, choices }: FlagModel): string {
  const parts = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  if (takesValue) parts.push('-x');
  if (choices.length > 0) parts.push(`-a ${quoted(choices.join(' '))}`);
  return [...parts, `-d ${quoted(description)}`].join(' ');
}

function placeText(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
