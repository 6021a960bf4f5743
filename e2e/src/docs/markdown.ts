import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A document of the project; `path` begins at its top. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** The README and all of `docs`, decisions too. */
export async function allDocuments(): Promise<Document[]> {
  const paths = ['README.md', ...(await markdownIn('docs')), ...(await markdownIn('docs/adr'))];
  return await Promise.all(paths.map(readDocument));
}

export async function readDocument(path: string): Promise<Document> {
  return { path, text: await readFile(join(ROOT, path), 'utf8') };
}

/** The contents of its fenced blocks of one language. */
export function fencedBlocks(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, block = '']) => block);
}

/** A fenced block. */
export interface Fence {
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks, in their order. */
export function allFences(text: string): Fence[] {
  const fences = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = '', block = '']) => ({ language, text: block }));
}

/** What stands between single backticks outside of fenced blocks. */
export function inlineCode(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/**
 * The cells of the rows of the first table under a heading, without the table's own head.
 *
 * @throws Error when there is no such table
 */
export function tableUnder(text: string, heading: string): string[][] {
  const [, section] = text.split(`\n${heading}\n`);
  const lines = section?.split(/\n## /)[0]?.split('\n') ?? [];
  const first = lines.findIndex((line) => line.startsWith('|'));
  const table = lines.slice(first);
  const length = table.findIndex((line) => !line.startsWith('|'));
  const rows = first < 0 ? [] : table.slice(2, length < 0 ? undefined : length);
  if (rows.length === 0) throw new Error(`there is no table under ${heading}`);
  return rows.map((row) =>
    row
      .slice(1, row.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What a link to each heading ends in. */
export function anchors(text: string): Set<string> {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

async function markdownIn(path: string): Promise<string[]> {
  return (await readdir(join(ROOT, path)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${path}/${name}`);
}
