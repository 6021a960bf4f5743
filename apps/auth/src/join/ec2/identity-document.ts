import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { z } from 'zod';

/** What matters of an instance identity document (EC2 User Guide, "Instance identity documents"). */
export interface IdentityDocument {
  readonly instance: InstanceKey;
  /** When the instance was started, in Unix milliseconds. */
  readonly pendingTime: number;
  readonly privateIp: string | undefined;
}

const schema = z.object({
  accountId: z.string(),
  region: z.string(),
  instanceId: z.string(),
  pendingTime: z.iso.datetime(),
  privateIp: z.string().nullish(),
});

/** Undefined for bytes that are no such document. */
export function parseIdentityDocument(bytes: Uint8Array): IdentityDocument | undefined {
  const result = schema.safeParse(parseJson(bytes));
  if (!result.success) return undefined;
  const { accountId, region, instanceId, pendingTime, privateIp } = result.data;
  const instance = parseInstanceKey({ account: accountId, region, instance: instanceId });
  return instance && { instance, pendingTime: Date.parse(pendingTime), privateIp: privateIp ?? undefined };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
