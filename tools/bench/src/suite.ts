import type { Measured } from './figure.ts';

export interface SuiteOptions {
  /** How often each thing is measured; the report shows medians. */
  readonly runs: number;
  /** For suites whose size can be chosen. */
  readonly instances?: number | undefined;
}

/** Measures one subject and its floor, by turns. Rejects when what it measured did not do its work. */
export type Suite = (options: SuiteOptions) => Promise<readonly Measured[]>;
