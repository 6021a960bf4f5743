import { packLabels, unpackLabels } from '@tagplane/serverinfo';
import { NO_SPANS } from '@tagplane/session';
import type { HeldAws, Holds, LabelSets, LabelSource, LabelsVersion } from '@tagplane/session';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { PackedLabels } from '../nodes/node-codec.ts';

/** What a node holds from the auth service, packed, and the instance that its `aws/` labels are of. */
export interface Holding extends PackedLabels {
  /** Key of that instance's ServerInfo; undefined: the node named none. */
  readonly instanceKey: string | undefined;
}

export const HOLDS_NOTHING: Holding = {
  revision: '',
  spans: NO_SPANS,
  sets: { 'aws/': undefined, 'dynamic/': undefined },
  instanceKey: undefined,
};

export function holdingOf(version: LabelsVersion, sets: LabelSets, instanceKey: string | undefined): Holding {
  const aws = sets['aws/'];
  const dynamic = sets['dynamic/'];
  return {
    revision: version.revision,
    spans: version.spans,
    sets: {
      'aws/': aws && packLabels(aws.labels),
      'dynamic/': dynamic && packLabels(dynamic.labels),
    },
    instanceKey,
  };
}

/** What an earlier session left in the node's record. */
export function holdingOfRecord(record: NodeRecord, instanceKey: string | undefined): Holding {
  const { acked } = record;
  const aws = acked.sets['aws/'];
  const dynamic = acked.sets['dynamic/'];
  return {
    revision: acked.revision,
    spans: acked.spans,
    sets: { 'aws/': aws && packLabels(aws), 'dynamic/': dynamic && packLabels(dynamic) },
    instanceKey,
  };
}

/**
 * The `aws/` labels that a node holds for the instance it now says it is. Labels of another instance
 * count for nothing: a copied disk must not carry them on. A node that names no instance any more
 * keeps what it had.
 *
 * @param holds what the agent says
 */
export function heldAws(
  holding: Holding | undefined,
  { revision, endless }: Holds,
  instanceKey: string | undefined,
): HeldAws {
  if (revision === '' || endless) return { state: 'none' };
  if (holding === undefined) return { state: 'unknown' };
  const other =
    holding.instanceKey !== undefined && instanceKey !== undefined && holding.instanceKey !== instanceKey;
  if (other) return { state: 'none' };
  if (revision !== undefined && revision !== holding.revision) return { state: 'unknown' };
  const source = awsOf(holding);
  return source === undefined ? { state: 'none' } : { state: 'known', source };
}

/** The `aws/` labels in it; undefined: it has no set of them. */
export function awsOf({ sets, spans }: Holding): LabelSource | undefined {
  const packed = sets['aws/'];
  if (packed === undefined) return undefined;
  const span = spans['aws/'];
  return { labels: unpackLabels(packed), observedAt: span?.observedAt, expiresAt: span?.expiresAt };
}
