import type { TagctlIo } from '../io.ts';
import { jsonText, yamlText } from './document.ts';

/** A document with one long list, which is written while it is read, and what follows it. */
export interface SectionsPrinter<View> {
  add(views: readonly View[]): Promise<void>;
  /** The other keys of the document; called once, after the last `add`. */
  end(rest: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Writes `{LIST: […], …rest}`. */
export function sectionsPrinter<View>(
  format: 'json' | 'yaml',
  list: string,
  io: Pick<TagctlIo, 'stdout'>,
): SectionsPrinter<View> {
  let count = 0;
  const json = format === 'json';
  return {
    async add(views) {
      if (views.length === 0) return;
      const first = count === 0;
      count += views.length;
      if (json) await io.stdout.write(jsonItems(list, views, first));
      else await io.stdout.write(`${first ? `${list}:\n` : ''}${indented(yamlText(views), 2)}`);
    },
    async end(rest) {
      if (json) await io.stdout.write(jsonEnd(list, rest, count));
      else await io.stdout.write(`${count === 0 ? `${list}: []\n` : ''}${yamlText(rest)}`);
    },
  };
}

function jsonItems(list: string, views: readonly unknown[], first: boolean): string {
  const items = views.map((view) => indented(jsonText(view), 4)).join(',\n');
  return `${first ? `{\n  ${JSON.stringify(list)}: [\n` : ',\n'}${items}`;
}

function jsonEnd(list: string, rest: Readonly<Record<string, unknown>>, count: number): string {
  const head = count === 0 ? `{\n  ${JSON.stringify(list)}: []` : '\n  ]';
  const keys = Object.entries(rest).map(
    ([key, value]) => `,\n  ${JSON.stringify(key)}: ${indented(jsonText(value), 2).trimStart()}`,
  );
  return `${head}${keys.join('')}\n}\n`;
}

/** Every line; a newline inside a text is escaped in both languages, so each is the document's own. */
function indented(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
