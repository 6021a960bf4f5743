import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';

/** One document of a file. */
export interface FileDocument {
  /** `document 2`, or `document 1, item 3` in a list. */
  readonly place: string;
  /** Objects, arrays and scalars; mappings of labels and selectors are Maps, whose keys may be any text. */
  readonly value: unknown;
}

/** What a file says, or what keeps it from saying anything. */
export interface ParsedFile {
  readonly documents: readonly FileDocument[];
  /** A line each, with the document and the place in it. */
  readonly problems: readonly string[];
}

/** How many nodes aliases may stand for: enough for people, too few for a bomb. */
const MAX_ALIASES = 100;

/** Reads YAML (JSON is YAML): documents after each other, each one thing or a list of things. */
export function parseFile(text: string): ParsedFile {
  const documents: FileDocument[] = [];
  const problems: string[] = [];
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  for (const [index, document] of [...parsed].entries()) {
    const place = `document ${index + 1}`;
    const broken = [...document.errors, ...document.warnings].map(({ message, pos: [at] }) => {
      const { line, col } = lines.linePos(at);
      return `${place}: line ${line}, column ${col}: ${message.replaceAll('\n', ' ')}`;
    });
    problems.push(...broken);
    if (broken.length > 0) continue;
    try {
      documents.push(...split(place, plain(toValue(document), [])));
    } catch (error) {
      problems.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (documents.length === 0 && problems.length === 0) problems.push('there is no document in it');
  return { documents, problems };
}

function toValue(document: Document.Parsed): unknown {
  return document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
}

/** A separator with nothing behind it makes an empty document, which is nothing to create. */
function split(place: string, value: unknown): FileDocument[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [{ place, value }];
  return value.map((item: unknown, index) => ({ place: `${place}, item ${index + 1}`, value: item }));
}

/** Where keys are labels' own. A list does not count in a path. */
const FREE_KEYS = new Set([
  'spec.labels',
  'spec.match.selector',
  'spec.allow.node_labels',
  'spec.deny.node_labels',
]);

/** Mappings as objects, but for those of labels; a key that is no text is refused. */
function plain(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, path));
  if (!(value instanceof Map)) return value;
  const entries = [...(value as Map<unknown, unknown>)].map(([key, child]): [string, unknown] => {
    if (typeof key !== 'string') {
      throw new Error(
        `${pathText(path) || 'top level'}: the key ${keyName(key)} is no text; put it in quotes`,
      );
    }
    return [key, plain(child, [...path, key])];
  });
  return FREE_KEYS.has(path.join('.')) ? new Map(entries) : Object.fromEntries(entries);
}

function keyName(key: unknown): string {
  return typeof key === 'object' && key !== null ? 'of several values' : String(key);
}

/** `spec.labels["dynamic/tier"]`, `spec.allow[0].logins`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    const key = String(part);
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) text += `[${JSON.stringify(key)}]`;
    else text += text === '' ? key : `.${key}`;
  }
  return text;
}
