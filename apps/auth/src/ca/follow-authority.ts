import type { ApiServer } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import type { ControlPlane } from '../control/control-plane.ts';
import type { ClusterAuthority } from './cluster-authority.ts';

/** Renewals of a whole fleet, fifty a second: at 4 to 6 ms for a certificate that is a quarter of one core. */
const RENEWAL_MS = 20;

/** New connections get the credentials of now; agents are told when there is something to renew for. */
export function followAuthority(
  authority: ClusterAuthority,
  server: ApiServer,
  control: ControlPlane,
): () => void {
  let { generation } = authority.trust();
  return authority.onChange(() => {
    server.setCredentials(authority.serverCredentials());
    const now = authority.trust().generation;
    if (now === generation) return;
    generation = now;
    control.announceTrust(now, SECOND + control.connectedAgents * RENEWAL_MS);
  });
}
