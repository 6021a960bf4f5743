import type { InstanceKey } from '@tagplane/identity';

/** One agent of a fleet: who it is to be, and what it joins by. */
export interface AgentPlan {
  readonly serverId: string;
  readonly instance: InstanceKey;
  /** A secret. */
  readonly token: string;
  readonly caPins: readonly string[];
}

export interface FleetPlan {
  readonly authPorts: readonly number[];
  readonly agents: readonly AgentPlan[];
}

/** How one agent does at a moment. */
export interface AgentState {
  readonly connected: boolean;
  /** The label that the test changes, as the agent holds it. */
  readonly turn: string | undefined;
  /** Of its trust bundle. */
  readonly generation: number;
  /** Pins of the authorities that it trusts. */
  readonly authorities: readonly string[];
  /** Pin of the authority that made its certificate; undefined: none that it trusts. */
  readonly issuer: string | undefined;
  /** When it got the certificate, and until when that is good; Unix milliseconds. */
  readonly receivedAt: number;
  readonly validUntil: number;
}

/** Times are Unix milliseconds with a fraction. */
export type FleetReport =
  | { readonly type: 'connected'; readonly index: number; readonly authId: string; readonly at: number }
  | { readonly type: 'disconnected'; readonly index: number; readonly reason: string; readonly at: number }
  | { readonly type: 'held'; readonly index: number; readonly turn: string; readonly at: number }
  | { readonly type: 'ended'; readonly index: number; readonly error: string }
  | {
      readonly type: 'states';
      readonly states: readonly AgentState[];
      /** How often each event was logged by all of them together. */
      readonly logged: Readonly<Record<string, number>>;
    };

export type FleetCommand = { readonly type: 'start'; readonly plan: FleetPlan } | { readonly type: 'states' };

/** What the test changes. */
export const TURN = 'turn';

export function now(): number {
  return performance.timeOrigin + performance.now();
}
