import { runAgent } from '@tagplane/agent/host';
import type { FleetControl } from '@tagplane/ec2-simulator';
import type { NewToken, Operator } from '@tagplane/harness';
import { addToken } from '@tagplane/harness';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import { silentLogger } from '@tagplane/runtime';

export const AGENTS = 25;
const MOST_INSTANCES = 1_000;

/** Where an agent of the demo sits. */
export interface Place {
  readonly serverId: string;
  readonly account: string;
  readonly region: string;
  readonly instance: string;
}

/** Agents on instances spread over the regions. */
export function choosePlaces(
  fleet: Pick<FleetControl, 'list'>,
  regions: readonly string[],
): [Place, ...Place[]] {
  const all = regions.flatMap((region) => fleet.list({ region, limit: MOST_INSTANCES }));
  const step = Math.floor(all.length / AGENTS);
  const [first, ...others] = all
    .filter((_, index) => index % step === 0)
    .slice(0, AGENTS)
    .map(({ account, region, id }, index) => ({
      serverId: `demo-${index + 1}`,
      account,
      region,
      instance: id,
    }));
  if (first === undefined) throw new Error('the simulator has no instances');
  return [first, ...others];
}

/** For each a token that lets in this agent, on this instance, once. */
export async function addAgentTokens(
  operator: Pick<Operator, 'tokens'>,
  places: readonly Place[],
): Promise<ReadonlyMap<Place, NewToken>> {
  const tokens = new Map<Place, NewToken>();
  for (const place of places) {
    const { name, instance } = identityOf(place);
    tokens.set(place, await addToken(operator, { role: 'agent', name, instance }));
  }
  return tokens;
}

/**
 * Runs an agent for each token until the signal aborts.
 *
 * @param options.socket where the first of them can be asked who may log in
 * @throws TaskError of the first that failed
 */
export async function runAgents(
  tokens: ReadonlyMap<Place, NewToken>,
  { authPort, socket }: { readonly authPort: number; readonly socket: string },
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    [...tokens].map(([place, { token, caPins }], index) => {
      const { name, instance } = identityOf(place);
      const join = { by: { method: 'token', token }, pins: caPins } as const;
      return runAgent(
        {
          addresses: [{ host: '127.0.0.1', port: authPort }],
          security: { mode: 'mutual', join },
          serverId: name,
          instance,
          ownLabels: new Map([['tier', 'demo']]),
          ...(index === 0 ? { socket } : {}),
        },
        { signal, log: silentLogger() },
      );
    }),
  );
}

/** As its token and the agent say it. */
function identityOf({ serverId, account, region, instance }: Place): {
  readonly name: ServerId;
  readonly instance: InstanceKey;
} {
  const [name, key] = [parseServerId(serverId), parseInstanceKey({ account, region, instance })];
  if (name === undefined || key === undefined) throw new TypeError(`no agent can be on ${instance}`);
  return { name, instance: key };
}
