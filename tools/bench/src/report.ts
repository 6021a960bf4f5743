import type { Figure } from './figure.ts';

const COLUMNS = ['name', 'value', 'floor', 'ratio', 'goal', 'holds'] as const;

/** Figures as a table, a line each. */
export function table(figures: readonly Figure[]): string {
  const rows = [
    [...COLUMNS],
    ...figures.map(({ name, unit, value, floor, ratio, goal, holds }) => [
      name,
      `${value} ${unit}`,
      floor === null ? '' : `${floor} ${unit}`,
      ratio === null ? '' : `${ratio}×`,
      goal ?? '',
      holds === null ? '' : holds ? 'yes' : 'NO',
    ]),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
