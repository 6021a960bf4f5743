import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import { discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance, ServerInfoDraft } from '@tagplane/serverinfo';

const TTL_MS = 90 * 60 * 1_000;
/** 14 labels of a 12-character key and a 50-character value, as JSON about 1 KiB. */
const LABELS = 14;
const VALUE_CHARACTERS = 50;

export function instanceNumber(index: number): InstanceKey {
  const instance = `i-${index.toString(16).padStart(17, '0')}`;
  const key = parseInstanceKey({ account: '123456789012', region: 'eu-central-1', instance });
  if (key === undefined) throw new RangeError(`no instance has the number ${index}`);
  return key;
}

/** About 1 KiB of labels; another `generation` gives every label another value. */
export function labelsOf(index: number, generation: number): Labels {
  const value = `${generation}-${index}-`.padEnd(VALUE_CHARACTERS, 'x');
  return new Map(
    Array.from({ length: LABELS }, (_, n) => [`aws/label-${String(n).padStart(2, '0')}`, value]),
  );
}

export function draftOf(index: number, generation: number): ServerInfoDraft {
  const instance = instanceNumber(index);
  return {
    name: discoveredName(instance),
    match: { kind: 'aws-instance', instance },
    labels: labelsOf(index, generation),
    observedAt: Date.now(),
    ttlMs: TTL_MS,
  };
}

/** The same instance as a scan leaves it behind. */
export function foundOf(index: number, generation: number): FoundInstance {
  const tags = [...labelsOf(index, generation)].map(([key, value]): [string, string] => [
    key.slice('aws/'.length),
    value,
  ]);
  return observeInstance({ key: instanceNumber(index), state: 'running', tags: new Map(tags) }, Date.now());
}

/** Runs work on batches, a fixed number of them at a time. */
export async function inBatches(
  total: number,
  options: { readonly size: number; readonly inFlight: number },
  work: (from: number, to: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) {
      const from = next;
      next = Math.min(total, from + options.size);
      await work(from, next);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, lane));
}
