import type { SelectorError } from '@tagplane/labels';
import { visible } from '../format/escape.ts';

/**
 * What is wrong with a selector, then the selector and a caret under the character that it is about, a line
 * each. Whoever prints them escapes each line: the caret stands where the escaped text has the character.
 */
export function pointedProblem(error: SelectorError): string {
  const [line = '', caret = ''] = error.pointed().split('\n');
  const before = Array.from(line)
    .slice(0, caret.length - 1)
    .join('');
  return `${error.message}\n    ${line}\n    ${' '.repeat(visible(before).length)}^`;
}
