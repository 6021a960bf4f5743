import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { selectorToMap } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import type { MatchView, ServerInfoView } from './server-info.ts';

/** A ServerInfo as `create` takes it, and as a person edits it. */
export interface ServerInfoDocument {
  readonly kind: 'server_info';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly match: MatchView;
    readonly labels: Labels;
    /** RFC 3339, UTC; absent: never. */
    readonly expires_at?: string;
  };
}

export function serverInfoDocument(view: ServerInfoView): ServerInfoDocument {
  return documentOf(view.name, view.match, view.labels, view.expires_at);
}

/** @param now Unix milliseconds */
export function draftDocument(
  { name, match, labels, ttlMs }: ServerInfoDraft,
  now: number,
): ServerInfoDocument {
  const end = ttlMs === undefined ? null : new Date(now + ttlMs).toISOString();
  return documentOf(name, draftMatch(match), labels, end);
}

function documentOf(name: string, match: MatchView, labels: Labels, end: string | null): ServerInfoDocument {
  const ends = end === null ? {} : { expires_at: end };
  return { kind: 'server_info', metadata: { name }, spec: { match, labels, ...ends } };
}

function draftMatch(match: ServerInfoDraft['match']): MatchView {
  switch (match.kind) {
    case 'aws-instance': {
      const { account, region, instance } = match.instance;
      return { aws_instance: { account_id: account, region, instance_id: instance } };
    }
    case 'server-id':
      return { server_id: match.serverId };
    case 'selector':
      return { selector: selectorToMap(match.selector) };
  }
}
