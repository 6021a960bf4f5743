import { sortedEntries } from '@tagplane/labels';
import { Document, Scalar, visit } from 'yaml';
import { drivesTerminal, escapeQuoted } from './escape.ts';

/**
 * One JSON value, indented by two. Maps become objects in key order; every key is an own property, so
 * any key keeps its exact spelling.
 */
export function jsonText(value: unknown, indent: number | undefined = 2): string {
  return escapeQuoted(JSON.stringify(value, mapsAsObjects, indent));
}

function mapsAsObjects(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(sortedEntries(value as Map<string, string>)) : value;
}

/** One YAML document that YAML 1.1 and 1.2 readers take for the same; ends with a newline. */
export function yamlText(value: unknown): string {
  const document = new Document(sortedMaps(value), {
    // Quotes what an older reader would take for a boolean, a number or a time.
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
    keepUndefined: false,
  });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && drivesTerminal(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  // Folding and block scalars are for people who edit; a line per value is exact and easy to search.
  return escapeQuoted(document.toString({ lineWidth: 0, blockQuote: false }));
}

function sortedMaps(value: unknown): unknown {
  if (value instanceof Map) return new Map(sortedEntries(value as Map<string, string>));
  if (Array.isArray(value)) return value.map(sortedMaps);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, sortedMaps(child)]));
}
