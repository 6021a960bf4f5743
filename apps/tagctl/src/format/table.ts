import stringWidth from 'string-width';

export type Colour = 'green' | 'yellow' | 'red' | 'dim';

/** One cell; its text is already escaped. */
export interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

export interface Column {
  readonly title: string;
  /** The least comes first; what does not fit is dropped from the greatest on. */
  readonly priority: number;
  /** The column may be shortened to this many cells of the terminal; without it, it may not. */
  readonly shrinkTo?: number;
}

export interface TableStyle {
  /** Undefined: as wide as it takes. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

const GAP = 2;
const CODES: Readonly<Record<Colour | 'title', string>> = {
  green: '32',
  yellow: '33',
  red: '31',
  dim: '2',
  title: '1',
};

/** The lines of a table: a title line, then one line a row, none wider than the width. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: TableStyle,
): string[] {
  const widths = fitColumns(columns, naturalWidths(columns, rows), style.width);
  const titles = columns.map(({ title }) => ({ text: title }));
  return [
    rowLine(titles, widths, (text) => paint(text, style.colour ? 'title' : undefined)),
    ...rows.map((row) =>
      rowLine(row, widths, (text, cell) => paint(text, style.colour ? cell.colour : undefined)),
    ),
  ];
}

/**
 * The width of each column, undefined for a dropped one. Columns are let in by priority while the
 * least that each can do with fits; what is then left goes to them in the same order.
 */
export function fitColumns(
  columns: readonly Column[],
  natural: readonly number[],
  width: number | undefined,
): (number | undefined)[] {
  if (width === undefined) return [...natural];
  const widths: (number | undefined)[] = columns.map(() => undefined);
  const order = columns.map((_, index) => index);
  order.sort((a, b) => (columns[a]?.priority ?? 0) - (columns[b]?.priority ?? 0));
  let left = width + GAP;
  for (const index of order) {
    const least = Math.min(natural[index] ?? 0, columns[index]?.shrinkTo ?? Number.POSITIVE_INFINITY);
    const granted = index === order[0] ? Math.min(least, width) : least;
    if (granted + GAP > left) break;
    widths[index] = granted;
    left -= granted + GAP;
  }
  for (const index of order) {
    const granted = widths[index];
    if (granted === undefined) continue;
    const more = Math.min((natural[index] ?? 0) - granted, left);
    widths[index] = granted + more;
    left -= more;
  }
  return widths;
}

/** The text, cut to a width with `…` if it is wider. Cuts between graphemes, never inside one. */
export function shorten(text: string, width: number): string {
  // No character is wider than two cells, and ASCII is one: most texts need no measuring.
  if (text.length * 2 <= width || stringWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = stringWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function naturalWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  const widths = columns.map(({ title }) => title.length);
  for (const row of rows) {
    for (const [index, { text }] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cellWidth(text));
    }
  }
  return widths;
}

function rowLine(
  row: readonly Cell[],
  widths: readonly (number | undefined)[],
  painted: (text: string, cell: Cell) => string,
): string {
  let line = '';
  let padding = 0;
  for (const [index, cell] of row.entries()) {
    const width = widths[index];
    if (width === undefined) continue;
    const text = shorten(cell.text, width);
    // Padding is written only before another cell: no line ends in spaces.
    if (text !== '') line += ' '.repeat(padding) + painted(text, cell);
    padding = (text === '' ? padding : 0) + width - cellWidth(text) + GAP;
  }
  return line;
}

function paint(text: string, colour: Colour | 'title' | undefined): string {
  return colour === undefined ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

function cellWidth(text: string): number {
  return /^[\u0020-\u007e]*$/.test(text) ? text.length : stringWidth(text);
}
