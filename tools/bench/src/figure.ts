/** One figure of one run, beside the floor measured in the same run. */
export interface Sample {
  readonly value: number;
  readonly floor: number | undefined;
}

/** What a figure must be. `ratio` compares with the floor, `value` with a number in the figure's unit. */
export interface Goal {
  readonly of: 'ratio' | 'value';
  readonly at: 'most' | 'least';
  readonly bound: number;
}

export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly Sample[];
  readonly goal?: Goal;
}

/** A line of the report; null where there is no floor or no goal. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly floor: number | null;
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly holds: boolean | null;
}

/** Medians over the runs: of the value, of the floor, and of the ratios run by run. */
export function figureOf(measured: Measured): Figure {
  const { name, unit, samples, goal } = measured;
  const floors = samples.flatMap(({ floor }) => (floor === undefined ? [] : [floor]));
  const ratios = samples.flatMap(({ value, floor }) => (floor === undefined ? [] : [value / floor]));
  const value = median(samples.map((sample) => sample.value));
  const ratio = ratios.length === 0 ? null : median(ratios);
  return {
    name,
    unit,
    value: rounded(value),
    floor: floors.length === 0 ? null : rounded(median(floors)),
    ratio: ratio === null ? null : rounded(ratio),
    goal: goal === undefined ? null : goalText(goal, unit),
    holds: goal === undefined ? null : holds(goal, goal.of === 'ratio' ? ratio : value),
  };
}

function holds(goal: Goal, figure: number | null): boolean {
  if (figure === null) return false;
  return goal.at === 'most' ? figure <= goal.bound : figure >= goal.bound;
}

function goalText(goal: Goal, unit: string): string {
  const sign = goal.at === 'most' ? '≤' : '≥';
  return goal.of === 'ratio' ? `${sign} ${goal.bound}× floor` : `${sign} ${goal.bound} ${unit}`;
}

/** @throws RangeError on no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1];
  const high = sorted[Math.floor(middle)];
  if (low === undefined || high === undefined) throw new RangeError('the median of nothing');
  return (low + high) / 2;
}

/** Three significant digits, and all of those before the point. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
