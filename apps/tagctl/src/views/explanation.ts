import { LabelSource, LabelState } from '@tagplane/protocol';
import type {
  ExplainNodeResponse,
  ExplainedLabel,
  LabelDelivery,
  LabelOrigin,
  OverruledLabel,
} from '@tagplane/protocol';
import { nodeView, timeView } from './node.ts';
import type { NodeView } from './node.ts';
import { serverInfoView } from './server-info.ts';
import type { ServerInfoView } from './server-info.ts';

/** All that is known of a node's labels, as JSON and YAML show it; others script against these names. */
export interface ExplanationView {
  /** Null: no agent has ever spoken for it. */
  readonly node: NodeView | null;
  /** Null: there is no ServerInfo of its instance. */
  readonly discovered: ServerInfoView | null;
  /** In order of precedence: a later one wins. */
  readonly assigned: readonly ServerInfoView[];
  readonly labels: readonly ExplainedLabelView[];
  /** Null: nothing was delivered that is known of. */
  readonly delivery: DeliveryView | null;
  /** A line each. */
  readonly problems: readonly string[];
}

export interface ExplainedLabelView {
  readonly key: string;
  readonly value: string;
  readonly state: LabelStateName;
  readonly origin: OriginView | null;
  readonly overruled: readonly OverruledView[];
  /** Why it is not HELD. */
  readonly reason?: string;
}

export interface OverruledView {
  readonly value: string;
  readonly origin: OriginView | null;
  readonly reason: string;
}

export interface OriginView {
  readonly source: LabelSourceName;
  /** Null: it is from none. */
  readonly server_info: string | null;
  readonly written_by: string | null;
  /** RFC 3339, UTC. */
  readonly observed_at: string | null;
  readonly stored_at: string | null;
  readonly expires_at: string | null;
}

export interface DeliveryView {
  readonly pushed_by: string;
  readonly pushed_at: string | null;
  readonly acked_at: string | null;
}

/** UNKNOWN: of a newer version. */
export type LabelStateName = 'HELD' | 'PENDING' | 'STALE' | 'REJECTED' | 'UNKNOWN';
export type LabelSourceName = 'own' | 'imported' | 'discovered' | 'assigned' | 'unknown';

export function explanationView(response: ExplainNodeResponse): ExplanationView {
  const { node, discovered, assigned, labels, delivery, problems } = response;
  return {
    node: node === undefined ? null : nodeView(node),
    discovered: discovered === undefined ? null : serverInfoView(discovered),
    assigned: assigned.map(serverInfoView),
    labels: labels.map(labelView),
    delivery: delivery === undefined ? null : deliveryView(delivery),
    problems,
  };
}

function labelView({ key, value, state, origin, overruled, reason }: ExplainedLabel): ExplainedLabelView {
  return {
    key,
    value,
    state: stateName(state),
    origin: originView(origin),
    overruled: overruled.map(overruledView),
    ...(reason === '' ? {} : { reason }),
  };
}

function overruledView({ value, origin, reason }: OverruledLabel): OverruledView {
  return { value, origin: originView(origin), reason };
}

function originView(origin: LabelOrigin | undefined): OriginView | null {
  if (origin === undefined) return null;
  return {
    source: sourceName(origin.source),
    server_info: origin.serverInfo === '' ? null : origin.serverInfo,
    written_by: origin.writtenBy === '' ? null : origin.writtenBy,
    observed_at: timeView(origin.observedAt),
    stored_at: timeView(origin.storedAt),
    expires_at: timeView(origin.expiresAt),
  };
}

function deliveryView({ pushedBy, pushedAt, ackedAt }: LabelDelivery): DeliveryView {
  return { pushed_by: pushedBy, pushed_at: timeView(pushedAt), acked_at: timeView(ackedAt) };
}

function stateName(state: LabelState): LabelStateName {
  switch (state) {
    case LabelState.HELD:
      return 'HELD';
    case LabelState.PENDING:
      return 'PENDING';
    case LabelState.STALE:
      return 'STALE';
    case LabelState.REJECTED:
      return 'REJECTED';
    default:
      return 'UNKNOWN';
  }
}

function sourceName(source: LabelSource): LabelSourceName {
  switch (source) {
    case LabelSource.OWN:
      return 'own';
    case LabelSource.IMPORTED:
      return 'imported';
    case LabelSource.DISCOVERED:
      return 'discovered';
    case LabelSource.ASSIGNED:
      return 'assigned';
    default:
      return 'unknown';
  }
}
