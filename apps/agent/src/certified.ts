import type { Credentials } from '@tagplane/credentials';
import { instanceKeyText, parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';

/** What the agent's certificate makes of it. */
export interface Certified {
  readonly serverId: ServerId;
  /** The instance that it proves. */
  readonly instance: InstanceKey | undefined;
}

/** @throws TypeError for a name that no certificate can have */
export function certifiedBy({ name, instance }: Pick<Credentials, 'name' | 'instance'>): Certified {
  const serverId = parseServerId(name);
  if (serverId === undefined) throw new TypeError('a certificate names a server id');
  return { serverId, instance };
}

/** What the agent knows of itself by other ways. */
export interface KnownOfItself {
  readonly configuredId: ServerId | undefined;
  /** Configured, or found in instance metadata; undefined: not known. */
  readonly instance: InstanceKey | undefined;
}

/**
 * Why a certificate is not this agent's to use, for a person; undefined: it is. The image of a disk carries
 * the certificate of the machine it was made from (ADR 0010).
 */
export function certificateProblem(certified: Certified, known: KnownOfItself): string | undefined {
  const { serverId, instance } = certified;
  if (known.configuredId !== undefined && known.configuredId !== serverId) {
    return `the certificate is for ${serverId}, and server_id is ${known.configuredId}`;
  }
  if (instance === undefined || known.instance === undefined) return undefined;
  const [theirs, own] = [instanceKeyText(instance), instanceKeyText(known.instance)];
  return theirs === own ? undefined : `the certificate is for the instance ${theirs}, and this is ${own}`;
}
