import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';

let made = 0;

/** An instance that no other test speaks of. */
export function someInstance(): InstanceKey {
  made += 1;
  return instanceKey({
    account: ACCOUNT,
    region: REGION,
    instance: `i-${made.toString(16).padStart(17, '0')}`,
  });
}

/** @throws Error when there can be no such instance */
export function instanceKey(parts: { account: string; region: string; instance: string }): InstanceKey {
  const key = parseInstanceKey(parts);
  if (key === undefined) throw new Error('the sample is no instance');
  return key;
}
