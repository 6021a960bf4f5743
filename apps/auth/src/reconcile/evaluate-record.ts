import { discoveredName, serverInfoKey } from '@tagplane/serverinfo';
import type { AssignedSet } from '@tagplane/serverinfo';
import { wantedLabels } from '@tagplane/session';
import type { Discovered, HeldAws, Wanted } from '@tagplane/session';
import type { Found } from '@tagplane/store';
import type { NodeRecord } from '../nodes/node-record.ts';
import { findingOf } from './finding.ts';

/** Key of the ServerInfo of the node's instance; undefined: it is none, or none that counts. */
export function instanceKeyOf({ instance }: Pick<NodeRecord, 'instance'>): string | undefined {
  return instance && serverInfoKey(discoveredName(instance));
}

/**
 * What a node should have, by its record: as the auth process that holds its stream would say, without
 * asking it. Pure; `labelStories` tells where each label comes from.
 *
 * @param found the store's answer for the node's instance; undefined: it names none
 * @param assigned the ServerInfos of operators, as they are or as they would be
 * @param now Unix milliseconds
 * @throws ServerInfoDecodeError
 */
export function evaluateRecord(
  record: Pick<NodeRecord, 'serverId' | 'instance' | 'acked'>,
  found: Found | undefined,
  assigned: Pick<AssignedSet, 'forNode'>,
  now: number,
): Wanted {
  return evaluateDiscovered(record, findingOf(found).discovered, assigned, now);
}

/** The same for a ServerInfo of its instance that was read already. */
export function evaluateDiscovered(
  record: Pick<NodeRecord, 'serverId' | 'instance' | 'acked'>,
  discovered: Discovered,
  assigned: Pick<AssignedSet, 'forNode'>,
  now: number,
): Wanted {
  const { serverId } = record;
  return wantedLabels({
    discovered,
    held: heldAws(record),
    assigned: assigned.forNode({ serverId, instanceKey: instanceKeyOf(record) }, now),
  });
}

function heldAws({ acked }: Pick<NodeRecord, 'acked'>): HeldAws {
  const labels = acked.sets['aws/'];
  if (labels === undefined) return { state: 'none' };
  const span = acked.spans['aws/'];
  return {
    state: 'known',
    source: { labels, observedAt: span?.observedAt, expiresAt: span?.expiresAt },
  };
}
