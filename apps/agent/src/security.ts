import type { Credentials, CredentialKeeper } from '@tagplane/credentials';
import type { TlsSessions } from '@tagplane/protocol';
import type { JoinSettings } from './join/settings.ts';

/** How an agent's connections are secured. */
export type SecuritySettings =
  /** Without TLS, to loopback addresses only: the agent says who it is, and is believed. */
  | { readonly mode: 'insecure' }
  | {
      readonly mode: 'mutual';
      /** How to get credentials when there are none, or they have ended. */
      readonly join?: JoinSettings | undefined;
      /** To begin with; otherwise those in the data directory, or what joining gives. */
      readonly credentials?: Credentials | undefined;
    };

/** What a connection is opened with at one moment. */
export type ConnectionSecurity =
  | { readonly mode: 'insecure' }
  | {
      readonly mode: 'mutual';
      readonly keeper: Pick<CredentialKeeper, 'current'>;
      readonly sessions: TlsSessions;
    };
