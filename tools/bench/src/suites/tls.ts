import type { Suite } from '../suite.ts';
import { createTlsCluster } from '../tls/cluster.ts';
import { measureHandshakes } from '../tls/handshakes.ts';
import { AGENTS, measurePushes } from '../tls/pushes.ts';

/** TLS: what handshakes and control streams cost over mutual TLS, beside node's own. */
export const tlsSuite: Suite = async ({ runs }) => {
  await using cluster = await createTlsCluster(AGENTS);
  return [...(await measureHandshakes(cluster.fleetFile, runs)), ...(await measurePushes(cluster, runs))];
};
