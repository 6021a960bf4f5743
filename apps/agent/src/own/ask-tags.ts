import { awsLabelKey, labelProblem } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { DeadlineError, SECOND, deadline } from '@tagplane/runtime';
import { rootMessageOf } from '../errors.ts';
import { MetadataRefusedError, openMetadata } from '../imds-session.ts';
import type { MetadataSession } from '../imds-session.ts';
import { Slots } from './slots.ts';

/** What instance metadata says of the instance's tags. Reason and fix are for a person. */
export type TagsAnswer =
  | { readonly kind: 'ok'; readonly labels: Labels; readonly leftOut: number }
  | {
      /** `absent`: none there; `denied`: switched off; `unreachable`: no answer. */
      readonly kind: 'absent' | 'denied' | 'unreachable' | 'failed';
      readonly reason: string;
      readonly fix: string;
    };

export const TAGS_PATH = '/latest/meta-data/tags/instance/';

/** A token, a list and 64 values, each within milliseconds; the hypervisor slows down who asks too much. */
const IMPORT_MS = 10 * SECOND;
const PARALLEL = 4;
/** The heartbeat's limit: 50 tags, and AWS's own. */
const MAX_TAGS = 64;

const ENABLE =
  'allow tags in instance metadata: aws ec2 modify-instance-metadata-options --instance-metadata-tags enabled';
const HOPS =
  'off EC2 nothing is to be done; in a container raise the hop limit: ' +
  'aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2';

/**
 * Asks for the tags of the instance, by IMDSv2 only: all of them, or none.
 *
 * @throws the signal's reason when it aborts
 */
export async function askTags(endpoint: string, signal: AbortSignal): Promise<TagsAnswer> {
  using limit = deadline(signal, IMPORT_MS);
  try {
    return await readTags(await openMetadata(endpoint, limit.signal), limit.signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limit.signal.aborted && limit.signal.reason instanceof DeadlineError) {
      return { kind: 'unreachable', reason: 'it did not answer', fix: HOPS };
    }
    if (error instanceof MetadataRefusedError) {
      return { kind: 'denied', reason: error.message, fix: ENABLE };
    }
    return { kind: 'unreachable', reason: `it cannot be reached: ${rootMessageOf(error)}`, fix: HOPS };
  }
}

async function readTags(metadata: MetadataSession, signal: AbortSignal): Promise<TagsAnswer> {
  const list = await metadata.get(TAGS_PATH);
  if (list.status === 404) {
    const reason = 'it has no tags: they are not allowed there, or the instance has none';
    return { kind: 'absent', reason, fix: ENABLE };
  }
  if (list.status !== 200) throw new MetadataRefusedError(list.status);
  const keys = list.body
    .toString('utf8')
    .split('\n')
    .filter((key) => key !== '');
  const asked = keys.slice(0, MAX_TAGS);
  const slots = new Slots(PARALLEL);
  const values = await Promise.all(
    asked.map((key) => slots.use(() => metadata.get(TAGS_PATH + pathOf(key)), signal)),
  );
  const labels = new Map<string, string>();
  let leftOut = keys.length - asked.length;
  for (const [index, { status, body }] of values.entries()) {
    const key = awsLabelKey(asked[index] ?? '');
    const value = body.toString('utf8');
    // A tag that was taken away since the list was read.
    if (status === 404) continue;
    if (status !== 200)
      return { kind: 'failed', reason: `it answered ${status}`, fix: 'tried again in an hour' };
    if (labelProblem(key, value) === undefined) labels.set(key, value);
    else leftOut += 1;
  }
  return { kind: 'ok', labels, leftOut };
}

/** Metadata knows these by themselves; what else a tag's key may hold is written as a URL needs it. */
function pathOf(key: string): string {
  return encodeURIComponent(key).replaceAll(/%(3A|40|3D|2B)/g, decodeURIComponent);
}
