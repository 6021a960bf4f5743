import type { CommandModel } from './model.ts';
import { places, valueFlags } from './model.ts';

/**
 * A script for bash 3.2 and later. It walks the words before the cursor down the command tree, passing
 * over flags and their values; bash gives `--format=json` as three words.
 */
export function bashScript(model: CommandModel): string {
  const all = places(model);
  const values = valueFlags(model);
  const known = all.filter(({ words }) => words.length > 0).map(({ words }) => quoted(placeText(words)));
  return `# bash completion for ${model.name}
_${model.name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} place='' skip='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then skip=yes; continue; fi
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${values.flatMap(({ names }) => names).join('|')}) skip=yes ;;
      -*) ;;
      *) case "$place $word" in
        ${known.join('|')}) place="$place $word" ;;
      esac ;;
    esac
  done
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  case $previous in
${values.map(({ names, choices }) => `    ${names.join('|')}) ${choices.length === 0 ? '' : `${compgen(choices)}; `}return ;;`).join('\n')}
  esac
  case $place in
${all.map(({ words, model: at }) => `    ${quoted(placeText(words))}) ${candidates(at)} ;;`).join('\n')}
  esac
}
complete -F _${model.name} ${model.name}
`;
}

function candidates(model: CommandModel): string {
  const flags = compgen(model.flags.flatMap(({ names }) => names));
  return `if [[ $current == -* ]]; then ${flags}; else ${argument(model)}; fi`;
}

function argument({ commands, argument: model }: CommandModel): string {
  if (commands.length > 0) return compgen(commands.map(({ name }) => name));
  switch (model.kind) {
    case 'choices':
      return compgen(model.choices);
    case 'file':
      return `local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))`;
    case 'other':
      return ':';
  }
}

function compgen(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current"))`;
}

function placeText(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
