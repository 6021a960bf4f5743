import type { Labels } from '@tagplane/labels';
import { MAX_OWN_LABELS, ownLabelsProblem } from '@tagplane/labels';
import * as z from 'zod';

/** Text that a `parseX` must accept. */
export function parsedField<Parsed>(parse: (text: string) => Parsed | undefined, expected: string) {
  return z.string(expected).transform((text, context) => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

/** A mapping from keys to texts → Labels. Not a record: that would lose a key such as `__proto__`. */
export const ownLabelsField = z.unknown().transform((value, context): Labels => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.addIssue({ code: 'custom', message: 'expected KEY: TEXT pairs' });
    return z.NEVER;
  }
  const labels = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      context.addIssue({ code: 'custom', path: [key], message: 'expected text; put the value in quotes' });
      return z.NEVER;
    }
    const problem = ownLabelsProblem(new Map([[key, text]]));
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', path: [key], message: problem });
      return z.NEVER;
    }
    labels.set(key, text);
  }
  if (labels.size > MAX_OWN_LABELS) {
    context.addIssue({ code: 'custom', message: ownLabelsProblem(labels) ?? 'too many labels' });
  }
  return labels;
});
