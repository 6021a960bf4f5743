import type { Selector as SelectorParts, SelectorMap } from '@tagplane/labels';
import { formatSelector, selectorToMap } from '@tagplane/labels';
import { selectorFromMessage } from '@tagplane/protocol';
import type { Selector } from '@tagplane/protocol';

/** As it is written in a file: one pattern as itself, several as a list. */
export function selectorView(selector: Selector | undefined): SelectorMap {
  return selector === undefined ? {} : selectorToMap(selectorFromMessage(selector));
}

/** The text form of what `selectorView` made. */
export function selectorText(view: SelectorMap): string {
  const terms = Object.entries(view).map(([key, values]) => ({
    key,
    values: typeof values === 'string' ? [values] : values,
  }));
  return formatSelector({ terms } satisfies SelectorParts);
}
