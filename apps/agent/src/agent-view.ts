import type { InstanceKey } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import type { IdentitySource } from './agent-identity.ts';
import type { ConnectionStatus } from './control-client.ts';
import type { LabelView } from './label-holder.ts';

/** Everything the local socket tells, at one moment. */
export interface AgentView {
  readonly serverId: string;
  readonly hostname: string;
  readonly version: string;
  readonly ownLabels: Labels;
  readonly held: LabelView;
  readonly connection: ConnectionStatus;
  readonly instance: InstanceKey | undefined;
  readonly instanceSource: IdentitySource;
  readonly instanceProblem: string | undefined;
}
