import type { InstanceKey } from '@tagplane/identity';
import type { CredentialStatus } from './agent-credentials.ts';
import type { IdentitySource } from './agent-identity.ts';
import type { ConnectionStatus } from './control-client.ts';
import type { LabelView } from './label-holder.ts';
import type { StatedView } from './own/stated-labels.ts';
import type { RolesView } from './roles/role-holder.ts';
import type { RefusedFile } from './sealed/sealed-files.ts';

/** Everything the local socket tells, at one moment. */
export interface AgentView {
  /** Empty until the auth service has given one. */
  readonly serverId: string;
  readonly hostname: string;
  readonly version: string;
  readonly stated: StatedView;
  readonly held: LabelView;
  /** Undefined: it does not decide. */
  readonly roles: RolesView | undefined;
  /** Files of labels and roles that were not used. */
  readonly refused: readonly RefusedFile[];
  readonly connection: ConnectionStatus;
  /** Undefined without TLS. */
  readonly credentials: CredentialStatus | undefined;
  /** By what it joins when it has to; undefined: not configured. */
  readonly joinMethod: string | undefined;
  readonly instance: InstanceKey | undefined;
  readonly instanceSource: IdentitySource;
  readonly instanceProblem: string | undefined;
}
