import type { Cell, Column } from '../format/table.ts';

/** How one kind of thing is shown to people. `now` is Unix milliseconds. */
export interface TableOf<View> {
  /** In plural, for `no nodes`. */
  readonly plural: string;
  readonly columns: readonly Column[];
  row(view: View, now: number): readonly Cell[];
  /** One thing in full: a name and a value on each line. */
  details(view: View, now: number): readonly (readonly [name: string, value: Cell])[];
}
