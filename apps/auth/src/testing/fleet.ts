import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { parseSelector } from '@tagplane/labels';
import { MINUTE } from '@tagplane/runtime';
import { discoveredName, encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { Match } from '@tagplane/serverinfo';
import type { Put, Store } from '@tagplane/store';

const signal = new AbortController().signal;

/** The instance of this number, always the same one. */
export function instance(number: number): InstanceKey {
  const id = `i-${number.toString(16).padStart(17, '0')}`;
  const key = parseInstanceKey({ account: '123456789012', region: 'eu-central-1', instance: id });
  if (key === undefined) throw new RangeError(`no instance ${number}`);
  return key;
}

export function instanceKey(number: number): string {
  return serverInfoKey(discoveredName(instance(number)));
}

export interface PutOptions {
  readonly ttlMs?: number;
  readonly observedAt?: number;
}

/** A discovered ServerInfo; the keys of the tags come without `aws/`. */
export function discovered(number: number, tags: Record<string, string>, options: PutOptions = {}): Put {
  const labels = new Map(Object.entries(tags).map(([key, value]) => [`aws/${key}`, value]));
  const observedAt = options.observedAt ?? Date.now();
  const match: Match = { kind: 'aws-instance', instance: instance(number) };
  const name = discoveredName(instance(number));
  const value = encodeServerInfo({ name, match, labels, observedAt, origin: 'discovery/test' });
  return { key: instanceKey(number), value, ttlMs: options.ttlMs ?? 90 * MINUTE };
}

/** An operator's ServerInfo for a server id, or for the instance of a number. */
export function assigned(name: string, target: string | number, values: Record<string, string>): Put {
  const serverId = typeof target === 'string' ? parseServerId(target) : undefined;
  return assignedBy(
    name,
    serverId === undefined
      ? { kind: 'aws-instance', instance: instance(Number(target)) }
      : { kind: 'server-id', serverId },
    values,
  );
}

/** An operator's ServerInfo for every node that the selector picks. */
export function selecting(name: string, selector: string, values: Record<string, string>): Put {
  return assignedBy(name, { kind: 'selector', selector: parseSelector(selector) }, values);
}

function assignedBy(name: string, match: Match, values: Record<string, string>): Put {
  const labels = new Map(Object.entries(values).map(([key, value]) => [`dynamic/${key}`, value]));
  const value = encodeServerInfo({ name, match, labels, observedAt: undefined, origin: 'operator/test' });
  return { key: serverInfoKey(name), value, ttlMs: undefined };
}

export async function put(store: Store, ...items: readonly Put[]): Promise<void> {
  for (let start = 0; start < items.length; start += 1_000) {
    await store.put(items.slice(start, start + 1_000), { signal });
  }
}

export async function remove(store: Store, ...keys: readonly string[]): Promise<void> {
  await store.delete(
    keys.map((key) => ({ key })),
    { signal },
  );
}
