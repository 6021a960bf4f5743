import type { Labels, SelectorMap } from '@tagplane/labels';
import { labelsFromMessage } from '@tagplane/protocol';
import type { ServerInfo, ServerInfoMatch } from '@tagplane/protocol';
import { instanceView, timeView } from './node.ts';
import type { InstanceView } from './node.ts';
import { selectorView } from './selector.ts';

/** A ServerInfo as JSON and YAML show it; others script against these names. */
export interface ServerInfoView {
  readonly name: string;
  readonly match: MatchView;
  readonly labels: Labels;
  /** RFC 3339, UTC; null when the writer did not say. */
  readonly observed_at: string | null;
  /** RFC 3339, UTC; null: never. */
  readonly expires_at: string | null;
  readonly revision: number;
  readonly origin: string;
}

/** Null: a kind of match that this version does not know. */
export type MatchView =
  | { readonly aws_instance: InstanceView }
  | { readonly server_id: string }
  | { readonly selector: SelectorMap }
  | null;

export function serverInfoView(info: ServerInfo): ServerInfoView {
  return {
    name: info.name,
    match: matchView(info.match),
    labels: labelsFromMessage(info.labels),
    observed_at: timeView(info.observedAt),
    expires_at: timeView(info.expiresAt),
    revision: Number(info.revision),
    origin: info.origin,
  };
}

export function matchView(match: ServerInfoMatch | undefined): MatchView {
  switch (match?.target.case) {
    case 'awsInstance':
      return { aws_instance: instanceView(match.target.value) };
    case 'serverId':
      return { server_id: match.target.value };
    case 'selector':
      return { selector: selectorView(match.target.value) };
    case undefined:
      return null;
  }
}
