import { createClient } from '@connectrpc/connect';
import { createRoleCredentials } from '@tagplane/aws';
import { createEc2Scanner } from '@tagplane/ec2';
import type { Region } from '@tagplane/identity';
import { ServerInfoService, createClientConnection, draftToMessage } from '@tagplane/protocol';
import { draftOf, observeInstance } from '@tagplane/serverinfo';
import type { ServerInfoDraft } from '@tagplane/serverinfo';

/** Renewals come 30 min before the end: none falls into a measurement of minutes. */
const TTL_MS = 90 * 60_000;
/** The most that one call takes. */
const BATCH = 100;

export interface Filling {
  /** The simulator. */
  readonly endpoint: string;
  /** The auth service's. */
  readonly port: number;
  readonly group: string;
  readonly role: string;
  readonly accounts: readonly string[];
  readonly regions: readonly Region[];
}

/** Has the store hold what a discovery of this group would have sent; resolves to how many instances. */
export async function fillStore(filling: Filling): Promise<number> {
  const { endpoint, accounts, regions, role, port, group } = filling;
  using connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: { mode: 'insecure', peer: { role: 'discovery', name: group, proof: 'claimed' } },
  });
  const client = createClient(ServerInfoService, connection.transport);
  const base = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' };
  let sent = 0;
  for (const account of accounts) {
    for (const region of regions) {
      const chain = [{ roleArn: `arn:aws:iam::${account}:role/${role}` }];
      using credentials = createRoleCredentials({ chain, base, region, endpoint });
      using scanner = createEc2Scanner({ region, endpoint, credentials: credentials.provider });
      const drafts: ServerInfoDraft[] = [];
      for await (const page of scanner.scan({ signal: new AbortController().signal })) {
        const now = Date.now();
        for (const instance of page.instances) drafts.push(draftOf(observeInstance(instance, now), TTL_MS));
      }
      for (let first = 0; first < drafts.length; first += BATCH) {
        const serverInfos = drafts.slice(first, first + BATCH).map(draftToMessage);
        const { results } = await client.upsertServerInfos({ serverInfos });
        if (results.length !== serverInfos.length) throw new Error('the auth service did not answer for all');
      }
      sent += drafts.length;
    }
  }
  return sent;
}
