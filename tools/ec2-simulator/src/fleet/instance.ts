import type { PastView } from './consistency.ts';

export const STATE_CODES = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;

export type InstanceState = keyof typeof STATE_CODES;

/** What an instance is and will be: states change by the clock alone, with no timer behind them. */
export interface StateChange {
  readonly from: InstanceState;
  readonly to: InstanceState;
  /** When `from` becomes `to`, in Unix milliseconds. */
  readonly at: number;
}

/** A simulated instance. What is not here follows from the salt: see `shape.ts`. */
export interface SimInstance {
  readonly account: string;
  readonly region: string;
  readonly id: string;
  /** Place in the region's order; never used twice. */
  readonly sequence: number;
  readonly salt: number;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly launchTime: number;
  readonly imageId: string | undefined;
  readonly instanceType: string | undefined;
  readonly windows: boolean;
  tags: ReadonlyMap<string, string>;
  change: StateChange;
  /** What it was before its latest changes, oldest first. */
  past: readonly PastView[] | undefined;
}

export function stateAt({ change }: SimInstance, now: number): InstanceState {
  return now >= change.at ? change.to : change.from;
}

/** Whether the instance has been terminated for so long that EC2 no longer shows it. */
export function isGone({ change }: SimInstance, now: number, lingerMs: number): boolean {
  return change.to === 'terminated' && now >= change.at + lingerMs;
}

export function settled(state: InstanceState): StateChange {
  return { from: state, to: state, at: 0 };
}

export function isInstanceState(text: string): text is InstanceState {
  return Object.hasOwn(STATE_CODES, text);
}
