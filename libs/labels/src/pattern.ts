import { RE2JS, RE2JSSyntaxException } from 're2js';
import { roughExpressionSize } from './expression-size.ts';
import { SelectorError } from './selector-error.ts';

export const MAX_PATTERN_CHARACTERS = 1024;
/** Instructions of one regular expression. One for a value of 256 characters needs about as many. */
export const MAX_PATTERN_PROGRAM = 1000;

/** A pattern made fit to be asked. */
export interface CompiledPattern {
  /** The one text that it matches; undefined: it is more than a text. */
  readonly text: string | undefined;
  /** Instructions of its regular expression; 0 when it is none. */
  readonly program: number;
  /** Whether it matches the whole value. Takes time in proportion to the value's length. */
  readonly matches: (value: string) => boolean;
}

/** @throws SelectorError whose text is the pattern */
export function compilePattern(pattern: string): CompiledPattern {
  if (pattern.length > MAX_PATTERN_CHARACTERS) {
    throw new SelectorError(
      `a pattern has at most ${MAX_PATTERN_CHARACTERS} characters`,
      pattern,
      MAX_PATTERN_CHARACTERS,
    );
  }
  if (!pattern.isWellFormed()) throw new SelectorError('this is not well-formed Unicode', pattern, 0);
  if (pattern.startsWith('^')) return compileExpression(pattern);
  const parts = globParts(pattern);
  const [text] = parts;
  if (parts.length > 1) return { text: undefined, program: 0, matches: globMatcher(parts) };
  return { text, program: 0, matches: (value) => value === text };
}

function compileExpression(pattern: string): CompiledPattern {
  if (pattern.length < 2 || !pattern.endsWith('$')) {
    throw new SelectorError(
      'a regular expression ends with $ (for the character ^ itself, write \\^)',
      pattern,
      pattern.length,
    );
  }
  refuseLarge(pattern, roughExpressionSize(pattern) / 4);
  const expression = parseExpression(pattern);
  const program = expression.programSize();
  refuseLarge(pattern, program);
  return { text: undefined, program, matches: (value) => expression.testExact(value) };
}

function refuseLarge(pattern: string, program: number): void {
  if (program <= MAX_PATTERN_PROGRAM) return;
  const problem = `this regular expression is too large: it takes more than ${MAX_PATTERN_PROGRAM} instructions`;
  throw new SelectorError(problem, pattern, 0);
}

function parseExpression(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    // It throws classes of its own for what it cannot read, and of JavaScript for what is too deep.
    const syntax = error instanceof RE2JSSyntaxException ? error : undefined;
    const said =
      syntax?.getDescription() ?? (error instanceof Error ? error.message : 'it cannot be compiled');
    const problem = said.replace(/^error parsing regexp: /, '').replace(/: `.*$/s, '');
    const part = syntax?.getPattern() ?? '';
    // Of equal parts the last: what is too much is known when the outermost is read.
    const position = Math.max(0, pattern.lastIndexOf(part === '' ? pattern : part));
    throw new SelectorError(`not a regular expression: ${problem}`, pattern, position);
  }
}

/** The texts between the `*` of a glob, without their escapes: one for a pattern that has none. */
function globParts(pattern: string): string[] {
  if (!pattern.includes('\\')) return pattern.split('*');
  const parts: string[] = [];
  let part = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern.charAt(index);
    if (character === '*') {
      parts.push(part);
      part = '';
    } else if (character === '\\') {
      part += escaped(pattern, index);
      index += 1;
    } else {
      part += character;
    }
  }
  return [...parts, part];
}

function escaped(pattern: string, index: number): string {
  const next = pattern.charAt(index + 1);
  if (next === '*' || next === '\\' || (next === '^' && index === 0)) return next;
  throw new SelectorError(
    'a backslash stands only before * or \\, or before ^ as the first character',
    pattern,
    index,
  );
}

/** Texts in their order, none over another: each as early as it goes, the last at the end. */
function globMatcher(parts: readonly string[]): (value: string) => boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  const least = first.length + last.length;
  return (value) => {
    if (value.length < least || !value.startsWith(first) || !value.endsWith(last)) return false;
    let from = first.length;
    const end = value.length - last.length;
    for (const part of middle) {
      const at = value.indexOf(part, from);
      if (at < 0 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}

/** The pattern that matches this text and no other. */
export function patternOfText(text: string): string {
  return text.replaceAll(/[\\*]|^\^/g, '\\$&');
}
