import type { TagctlIo } from '../io.ts';
import type { TableOf } from '../views/table-of.ts';
import type { Format } from './formats.ts';
import { jsonText, yamlText } from './document.ts';
import { tableStyle } from './style.ts';
import { tableLines } from './table.ts';
import type { Cell } from './table.ts';

/** Prints things as they come; `end` is called once, after the last. */
export interface ListPrinter<View> {
  add(views: readonly View[]): Promise<void>;
  end(): Promise<void>;
}

/** A list as one document (written while it is read) or as one table (measured first). */
export function listPrinter<View>(format: Format, table: TableOf<View>, io: TagctlIo): ListPrinter<View> {
  return format === 'table' ? tablePrinter(table, io) : documentPrinter(format, io);
}

export function documentPrinter<View>(format: 'json' | 'yaml', io: TagctlIo): ListPrinter<View> {
  return format === 'json' ? jsonPrinter(io) : yamlPrinter(io);
}

/** One thing as one document, or in full to people. */
export async function printOne<View>(
  format: Format,
  table: TableOf<View>,
  view: View,
  io: TagctlIo,
): Promise<void> {
  if (format === 'table') await printDetails(table.details(view, io.now()), io);
  else await printDocument(format, view, io);
}

export async function printDocument(format: 'json' | 'yaml', value: unknown, io: TagctlIo): Promise<void> {
  await io.stdout.write(format === 'json' ? `${jsonText(value)}\n` : yamlText(value));
}

export async function printDetails(
  details: readonly (readonly [string, Cell])[],
  io: TagctlIo,
): Promise<void> {
  const columns = [
    { title: '', priority: 0 },
    { title: '', priority: 1, shrinkTo: 1 },
  ];
  const rows = details.map(([name, value]): Cell[] => [{ text: name, colour: 'dim' }, value]);
  // The title line is empty.
  const [, ...lines] = tableLines(columns, rows, tableStyle(io));
  await io.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

function tablePrinter<View>(table: TableOf<View>, io: TagctlIo): ListPrinter<View> {
  const rows: (readonly Cell[])[] = [];
  return {
    add(views) {
      const now = io.now();
      for (const view of views) rows.push(table.row(view, now));
      return Promise.resolve();
    },
    async end() {
      if (rows.length === 0) {
        await io.stderr.write(`no ${table.plural}\n`);
        return;
      }
      const lines = tableLines(table.columns, rows, tableStyle(io));
      for (let at = 0; at < lines.length; at += LINES_AT_ONCE) {
        await io.stdout.write(
          lines
            .slice(at, at + LINES_AT_ONCE)
            .map((line) => `${line}\n`)
            .join(''),
        );
      }
    },
  };
}

/** A hundred kilobytes or so: few system calls, and a reader that went away is noticed early. */
const LINES_AT_ONCE = 1_000;

function jsonPrinter<View>(io: TagctlIo): ListPrinter<View> {
  let count = 0;
  return {
    async add(views) {
      const text = views.map((view) => {
        count += 1;
        return `${count === 1 ? '[\n' : ',\n'}${indented(jsonText(view))}`;
      });
      await io.stdout.write(text.join(''));
    },
    async end() {
      await io.stdout.write(count === 0 ? '[]\n' : '\n]\n');
    },
  };
}

function indented(text: string): string {
  // A newline inside a string is escaped, so every newline here is the document's own.
  return text.replace(/^/gm, '  ');
}

function yamlPrinter<View>(io: TagctlIo): ListPrinter<View> {
  let count = 0;
  return {
    async add(views) {
      count += views.length;
      if (views.length > 0) await io.stdout.write(yamlText(views));
    },
    async end() {
      if (count === 0) await io.stdout.write('[]\n');
    },
  };
}
