import type { NewToken, Operator } from '@tagplane/harness';
import { addToken } from '@tagplane/harness';
import { parseInstanceKey } from '@tagplane/identity';
import type { Agent } from './agent.ts';

/** A token that makes whoever joins by it a discovery of this name. */
export function discoveryToken(operator: Operator, name: string): Promise<NewToken> {
  return addToken(operator, { role: 'discovery', name });
}

/** A token that makes whoever joins by it this agent, on its instance. */
export async function agentToken(operator: Operator, { place, service }: Agent): Promise<NewToken> {
  const instance = parseInstanceKey(place);
  if (instance === undefined) throw new TypeError(`not an instance: ${JSON.stringify(place)}`);
  return await addToken(operator, { role: 'agent', name: service.name, instance });
}
