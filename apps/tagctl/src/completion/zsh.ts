import type { CommandModel } from './model.ts';
import { places, valueFlags } from './model.ts';

/** A script for zsh: sourced after compinit, or put as `_tagctl` into a folder of fpath. */
export function zshScript(model: CommandModel): string {
  const all = places(model);
  const values = valueFlags(model);
  const known = all.filter(({ words }) => words.length > 0).map(({ words }) => quoted(placeText(words)));
  return `#compdef ${model.name}
# zsh completion for ${model.name}
_${model.name}() {
  local place='' skip='' word previous=\${words[CURRENT-1]} current=\${words[CURRENT]}
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${values.flatMap(({ names }) => names).join('|')}) skip=yes ;;
      -*) ;;
      *) case "$place $word" in
        ${known.join('|')}) place="$place $word" ;;
      esac ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*}
    compset -P '*='
  fi
  case $previous in
${values.map(({ names, choices }) => `    ${names.join('|')}) ${choices.length === 0 ? '' : `compadd -- ${choices.map(quoted).join(' ')}; `}return ;;`).join('\n')}
  esac
  case $place in
${all.map(({ words, model: at }) => `    ${quoted(placeText(words))})\n${candidates(at)}\n      ;;`).join('\n')}
  esac
}
# As a file of fpath it is the function's body; sourced, it registers the function.
if [[ \${funcstack[1]} == _${model.name} ]]; then
  _${model.name} "$@"
else
  compdef _${model.name} ${model.name}
fi
`;
}

function candidates(model: CommandModel): string {
  const flags = model.flags.flatMap(({ names, description }) =>
    names.map((name) => described(name, description)),
  );
  return `      if [[ $current == -* ]]; then
        candidates=(${flags.join(' ')}); _describe -o 'flag' candidates
      else
        ${argument(model)}
      fi`;
}

function argument({ commands, argument: model }: CommandModel): string {
  if (commands.length > 0) {
    const entries = commands.map(({ name, description }) => described(name, description));
    return `candidates=(${entries.join(' ')}); _describe 'command' candidates`;
  }
  switch (model.kind) {
    case 'choices':
      return `compadd -- ${model.choices.map(quoted).join(' ')}`;
    case 'file':
      return '_files';
    case 'other':
      return ':';
  }
}

function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description}`);
}

function placeText(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
