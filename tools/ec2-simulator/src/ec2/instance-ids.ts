import { AwsError, missingParameter } from '../aws-error.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SimInstance } from '../fleet/instance.ts';
import type { Caller } from '../service.ts';

const INSTANCE_ID = /^i-([0-9a-f]{8}|[0-9a-f]{17})$/;

/**
 * The instances of these ids, each once, in the order asked for. Throws AwsError, for all of them, when
 * one is malformed or not there.
 */
export function findInstances(fleet: Fleet, caller: Caller, ids: readonly string[]): SimInstance[] {
  if (ids.length === 0) throw missingParameter('InstanceId');
  const malformed = ids.find((id) => !INSTANCE_ID.test(id));
  if (malformed !== undefined) {
    throw new AwsError('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`);
  }
  const missing: string[] = [];
  const found = new Set<SimInstance>();
  for (const id of ids) {
    const instance = fleet.get(caller.account, caller.region, id);
    if (instance === undefined) missing.push(id);
    else found.add(instance);
  }
  if (missing.length === 0) return [...found];
  throw new AwsError(
    'InvalidInstanceID.NotFound',
    missing.length === 1
      ? `The instance ID '${missing.join()}' does not exist`
      : `The instance IDs '${missing.join(', ')}' do not exist`,
  );
}
