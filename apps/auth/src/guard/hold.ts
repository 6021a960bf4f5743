import { z } from 'zod';

/** How a hold stands. */
export const HOLD_STATES = ['held', 'released', 'dropped'] as const;
export type HoldState = (typeof HOLD_STATES)[number];

/** A change that somebody asked for, as far as the guard weighs it. */
export interface Change {
  /** `aws/ACCOUNT/REGION`, the same and `/gone`, or `dynamic/`. */
  readonly scope: string;
  /** Equal for equal changes. */
  readonly fingerprint: string;
  /** Nodes that would lose a label, or have one changed. */
  readonly nodesChanged: number;
  /** Nodes of the scope that have labels now. */
  readonly nodesTotal: number;
  /** Names of some of the ServerInfos, or nodes, that it is about. */
  readonly samples: readonly string[];
  /** `role/name`. */
  readonly requestedBy: string;
  /** For a person. */
  readonly description: string;
}

/** A change that was held. */
export interface Hold extends Change {
  readonly id: string;
  /** What was changed before within the window. */
  readonly nodesChangedBefore: number;
  readonly state: HoldState;
  /** Unix milliseconds. */
  readonly heldAt: number;
  /** `role/name`; empty while it waits. */
  readonly decidedBy: string;
  /** Unix milliseconds; undefined while it waits. */
  readonly decidedAt: number | undefined;
}

export const HOLD_PREFIX = 'guard/hold/';

const stored = z.object({
  v: z.literal(1),
  scope: z.string(),
  print: z.string(),
  changed: z.int(),
  total: z.int(),
  before: z.int(),
  samples: z.array(z.string()),
  state: z.enum(HOLD_STATES),
  by: z.string(),
  at: z.int(),
  decider: z.string(),
  decided: z.int().nullable(),
  text: z.string(),
});

/** The value for the store, under `guard/hold/ID`. */
export function encodeHold(hold: Hold): string {
  const value: z.input<typeof stored> = {
    v: 1,
    scope: hold.scope,
    print: hold.fingerprint,
    changed: hold.nodesChanged,
    total: hold.nodesTotal,
    before: hold.nodesChangedBefore,
    samples: [...hold.samples],
    state: hold.state,
    by: hold.requestedBy,
    at: hold.heldAt,
    decider: hold.decidedBy,
    decided: hold.decidedAt ?? null,
    text: hold.description,
  };
  return JSON.stringify(value);
}

/** Undefined for one of a version that is not known here. */
export function decodeHold(entry: { readonly key: string; readonly value: string }): Hold | undefined {
  const parsed = stored.safeParse(parseJson(entry.value));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return {
    id: entry.key.slice(HOLD_PREFIX.length),
    scope: data.scope,
    fingerprint: data.print,
    nodesChanged: data.changed,
    nodesTotal: data.total,
    nodesChangedBefore: data.before,
    samples: data.samples,
    state: data.state,
    requestedBy: data.by,
    heldAt: data.at,
    decidedBy: data.decider,
    decidedAt: data.decided ?? undefined,
    description: data.text,
  };
}

export function parseJson(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}
