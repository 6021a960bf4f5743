import { askAgent } from '@tagplane/agent/host';
import type { Operator } from '@tagplane/harness';
import { waitFor } from '@tagplane/harness';

export const ROLE = 'demo';
export const LOGIN = 'deploy';

const ROLES_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface DemoLogin {
  /** What the agent says of it now. */
  ask(): Promise<'allowed' | 'denied'>;
}

/**
 * Writes a role that lets in where this tag is set, and waits until the agent decides by it.
 *
 * @throws Error when the agent never gets it
 */
export async function putDemoRole(
  operator: Pick<Operator, 'roles'>,
  { socket, key }: { readonly socket: string; readonly key: string },
  signal: AbortSignal,
): Promise<DemoLogin> {
  const nodeLabels = { terms: [{ key: `aws/${key}`, values: ['*'] }] };
  await operator.roles.putRole(
    { role: { name: ROLE, allow: [{ logins: [LOGIN], nodeLabels }] } },
    { signal },
  );
  const path = `/v1/decide?login=${LOGIN}&role=${ROLE}`;
  const decision = async (): Promise<Decision> => (await askAgent(socket, path, signal)) as Decision;
  // Until then it is of a role that the agent does not know.
  await waitFor(
    'the agent has the role',
    async () => (await decision()).facts.some(({ outcome }) => outcome === 'does-not-grant'),
    {
      timeoutMs: ROLES_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      signal,
    },
  );
  return { ask: async () => ((await decision()).allowed ? 'allowed' : 'denied') };
}

/** As much of the agent's answer as is looked at. */
interface Decision {
  readonly allowed: boolean;
  readonly facts: readonly { readonly outcome: string }[];
}
