import { parseAccountId, parseInstanceId } from '@tagplane/identity';
import type { AccountId, Region } from '@tagplane/identity';
import { NO_LABELS } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { INSTANCE_STATES } from './discovered.ts';
import type { DiscoveredInstance, InstanceState, RejectedInstance } from './discovered.ts';
import type { DescribedInstance, DescribedReservation, DescribedTag } from './lean/described.ts';

const STATES: ReadonlyMap<string, InstanceState> = new Map(INSTANCE_STATES.map((state) => [state, state]));
/** Enough to recognise a value in a log line. */
const SHOWN_CHARACTERS = 40;

/**
 * The instances of a page, in its order. Each one of them is in exactly one of the two lists. Nothing
 * of the reservations themselves is kept.
 */
export function convertReservations(
  reservations: readonly DescribedReservation[],
  region: Region,
): { instances: DiscoveredInstance[]; rejected: RejectedInstance[] } {
  const instances: DiscoveredInstance[] = [];
  const rejected: RejectedInstance[] = [];
  for (const { OwnerId = '', Instances = [] } of reservations) {
    const account = parseAccountId(OwnerId);
    for (const instance of Instances) {
      const converted = convertInstance(instance, account, OwnerId, region);
      if ('reason' in converted) rejected.push(converted);
      else instances.push(converted);
    }
  }
  return { instances, rejected };
}

function convertInstance(
  described: DescribedInstance,
  account: AccountId | undefined,
  ownerId: string,
  region: Region,
): DiscoveredInstance | RejectedInstance {
  const { InstanceId: id = '', State, Tags, VpcId: vpc, Platform } = described;
  const instance = parseInstanceId(id);
  if (instance === undefined) return { instance: id, reason: `no instance id: ${shown(id)}` };
  if (account === undefined) return { instance: id, reason: `no account id in OwnerId: ${shown(ownerId)}` };
  const state = STATES.get(State?.Name ?? '');
  if (state === undefined) return { instance: id, reason: `unknown state: ${shown(State?.Name ?? '')}` };
  const tags = convertTags(Tags);
  if (tags === undefined) return { instance: id, reason: 'a tag without a key, or a key twice' };
  const platform = Platform?.toLowerCase() === 'windows' ? 'windows' : 'linux';
  return { key: { account, region, instance }, state, tags, vpc: vpc === '' ? undefined : vpc, platform };
}

function convertTags(tags: readonly DescribedTag[] | undefined): Labels | undefined {
  if (tags === undefined || tags.length === 0) return NO_LABELS;
  const converted = new Map<string, string>();
  for (const { Key, Value } of tags) {
    if (Key === undefined || Key === '') return undefined;
    converted.set(Key, Value ?? '');
  }
  return converted.size === tags.length ? converted : undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}
