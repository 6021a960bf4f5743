import { durationFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { CredentialKeeper } from '@tagplane/credentials';
import type { NewToken } from '@tagplane/harness';
import type { InstanceKey } from '@tagplane/identity';
import {
  ServerInfoService,
  createClientConnection,
  fetchTrust,
  instanceToMessage,
  joinCluster,
  renewCredentials,
} from '@tagplane/protocol';
import { HOUR, SECOND, silentLogger, sleep } from '@tagplane/runtime';
import { TURN } from './fleet/messages.ts';

/** What a discovery writes at once. */
const BATCH = 100;

export interface Change {
  readonly instance: InstanceKey;
  readonly turn: number;
}

/** A discovery of the test's own: it writes what the test says, and follows a rotation as any other. */
export interface Writer extends AsyncDisposable {
  /** @throws Error when one of them was not taken */
  write(changes: readonly Change[]): Promise<void>;
  current(): Credentials;
}

export async function startWriter({ port, join }: { port: number; join: NewToken }): Promise<Writer> {
  const stop = new AbortController();
  const { signal } = stop;
  const address = { host: '127.0.0.1', port };
  const credentials = await joinCluster({
    address,
    pins: join.caPins,
    role: 'discovery',
    name: 'writer',
    prove: () => Promise.resolve({ case: 'token', value: { token: join.token } }),
    signal,
  });
  const connection = createClientConnection({
    address,
    security: { mode: 'mutual', credentials: () => keeper.current() },
  });
  const { transport } = connection;
  const keeper: CredentialKeeper = new CredentialKeeper({
    credentials,
    renew: (current, limit) => renewCredentials(transport, current, { signal: limit }),
    remedy: 'run the test again',
    log: silentLogger(),
  });
  const follow = async (): Promise<void> => {
    for (;;) {
      const { trust, renew } = await fetchTrust(transport, keeper.current().trust, { signal });
      await keeper.adoptTrust(trust);
      if (renew) keeper.renewWithin(SECOND);
      await sleep(SECOND, signal);
    }
  };
  let problem: unknown;
  const tasks = Promise.all([keeper.run(signal), follow()]).catch((error: unknown) => {
    if (!signal.aborted) problem = error;
  });
  const serverInfos = createClient(ServerInfoService, transport);
  return {
    current: () => keeper.current(),
    async write(changes) {
      if (problem instanceof Error) throw problem;
      for (let from = 0; from < changes.length; from += BATCH) {
        const batch = changes.slice(from, from + BATCH).map(serverInfo);
        const { results } = await serverInfos.upsertServerInfos({ serverInfos: batch });
        const refused = results.find(({ reason }) => reason !== '');
        if (refused !== undefined) throw new Error(`not written: ${refused.reason}`);
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await tasks;
      connection[Symbol.dispose]();
    },
  };
}

function serverInfo({ instance, turn }: Change) {
  const { account, region, instance: id } = instance;
  return {
    name: `aws-${account}-${region}-${id}`,
    match: { target: { case: 'awsInstance' as const, value: instanceToMessage(instance) } },
    labels: { [`aws/${TURN}`]: `${turn}` },
    observedAt: timestampNow(),
    ttl: durationFromMs(HOUR),
  };
}
