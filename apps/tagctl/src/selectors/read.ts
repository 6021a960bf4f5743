import type { Selector } from '@tagplane/labels';
import { SelectorError, parseSelector } from '@tagplane/labels';
import { usageError } from '../errors.ts';
import { pointedProblem } from './pointed.ts';

/**
 * The selector that stands behind a flag.
 *
 * @throws TagctlError (usage) that points at the character
 */
export function readSelector(text: string, flag = '--selector'): Selector {
  try {
    return parseSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw usageError(`${flag}: ${pointedProblem(error)}`, error);
    throw error;
  }
}
