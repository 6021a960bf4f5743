import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceId, InstanceKey } from '@tagplane/identity';
import type { EnrolmentCandidate, EnrolmentFacts, SsmPlace } from '../facts.ts';

/** The instance of a number, in one account and region. */
export function keyOf(number: number, region = 'eu-central-1'): InstanceKey {
  const instance = `i-${number.toString(16).padStart(17, '0')}`;
  const key = parseInstanceKey({ account: '123456789012', region, instance });
  if (key === undefined) throw new TypeError(`no instance: ${number} in ${region}`);
  return key;
}

export function candidateOf(number: number, more: Partial<EnrolmentCandidate> = {}): EnrolmentCandidate {
  return { key: keyOf(number), state: 'running', platform: 'linux', block: 0, ...more };
}

/** SSM that knows these instances; each is online unless it says otherwise. */
export function ssmOf(online: Iterable<readonly [number, boolean]>): SsmPlace {
  return {
    kind: 'known',
    online: new Map<InstanceId, boolean>([...online].map(([n, on]) => [keyOf(n).instance, on])),
  };
}

/** Facts about candidates that SSM reaches and that have no agent, unless told otherwise. */
export function factsOf(
  candidates: readonly EnrolmentCandidate[],
  more: Partial<EnrolmentFacts> = {},
): EnrolmentFacts {
  const online = new Map(candidates.map(({ key }) => [key.instance, true]));
  return {
    candidates,
    complete: true,
    agents: new Set(),
    ssm: () => ({ kind: 'known', online }),
    limits: () => ({ capPerMinute: 60, maxInFlight: 100 }),
    ...more,
  };
}
