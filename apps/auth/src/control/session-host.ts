import type { ControlStreamResponse } from '@tagplane/protocol';
import { MINUTE, jittered } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { AuthSessionSettings } from '@tagplane/session';
import type { Audit } from '../audit/audit.ts';
import type { RecordSource } from '../nodes/node-writer.ts';
import type { RolePush } from '../roles/role-push.ts';
import type { AgentSession } from './agent-session.ts';
import type { ControlMetrics, Trigger } from './metrics.ts';
import type { Statements } from './statements.ts';

/** What all sessions of one auth process share: there is one of it, so that a session stays small. */
export interface SessionHost {
  readonly authId: string;
  readonly settings: AuthSessionSettings;
  readonly hello: ControlStreamResponse;
  readonly metrics: ControlMetrics;
  readonly log: Logger;
  readonly audit: Audit;
  readonly rolePush: RolePush;
  /** Undefined without TLS: there is no key to sign with. */
  readonly statements: Statements | undefined;
  /** Unix milliseconds. */
  now(): number;
  /** The trust bundle there is now, 0 without one, and over what time agents spread their renewals. */
  trust(): { readonly generation: number; readonly withinMs: number };
  /** The hello waits for its turn; `session.admitted()` answers. */
  admit(session: AgentSession): void;
  /** The session now speaks for its server id; an older one of the same id ends. */
  register(session: AgentSession): void;
  /** The node says it is another instance than before. */
  rekey(session: AgentSession, before: string | undefined): void;
  reconcile(session: AgentSession, trigger: Trigger): void;
  writeRecord(source: RecordSource): void;
  /** The stream is over. */
  release(session: AgentSession): void;
}

/** An update that waits longer than this shows in the node's record as PENDING; a normal one is done by then. */
export const PENDING_AFTER_MS = 1_000;
/** How long a closed stream may take to deliver its goodbye before it is cut. */
export const CLOSE_GRACE_MS = 5_000;
/** Around a minute: two agents with one server id take turns, but not fast. */
export function supersededRetryMs(): number {
  return jittered(MINUTE, 0.25);
}
