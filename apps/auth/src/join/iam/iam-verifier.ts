import { parseRegion } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import type { IamProof } from '@tagplane/protocol';
import type { IamConfig } from '../config.ts';
import type { JoinClaim, JoinVerifier, Proven, Refusal, Verdict } from '../verifier.ts';
import { denied, unavailable } from '../verifier.ts';
import { instanceOfRole, parseAssumedRole, partitionOf } from './caller-identity.ts';
import type { AssumedRole, CallerIdentity } from './caller-identity.ts';
import { iamAllows } from './iam-rules.ts';
import { readSignedRequest } from './signed-request.ts';
import type { StsClient } from './sts-client.ts';
import { STS_REGIONS, stsPartition } from './sts-hosts.ts';

type Proof = Pick<IamProof, 'host' | 'headers' | 'region'>;

/** Lets in by an AWS role: STS says whose signature it is that the caller made for this very exchange. */
export function createIamVerifier(options: {
  readonly config: IamConfig;
  readonly sts: StsClient;
}): JoinVerifier<Proof> {
  const { config, sts } = options;
  return {
    async verify(proof, claim, { signal }): Promise<Verdict> {
      if (!isKnownHost(proof.host, config)) return denied('the request is signed for a host that is no STS');
      const read = readSignedRequest(proof, claim);
      if (!read.ok) return denied(`the signed request is refused: ${read.problem}`);
      const answer = await sts.getCallerIdentity(read.request, signal);
      if (answer.result === 'unavailable') return unavailable('STS did not answer');
      if (answer.result === 'refused') return denied(`STS refused the request: ${answer.code}`);
      const { caller } = answer;
      const details = { arn: caller.arn };
      const partition = stsPartition(proof.host);
      if (partition !== undefined && partition !== partitionOf(caller.arn)) {
        return denied('STS answers for another partition', details);
      }
      if (!iamAllows(config.allow, caller, claim.role))
        return denied('no rule lets this AWS role in', details);
      return prove(caller, claim, proof.region);
    },
  };
}

function isKnownHost(host: string, { sts_endpoint: endpoint }: IamConfig): boolean {
  return stsPartition(host) !== undefined || endpoint?.host === host;
}

function prove(caller: CallerIdentity, claim: JoinClaim, region: string): Proven | Refusal {
  const role = parseAssumedRole(caller.arn);
  const proven = { ok: true, proof: caller.arn, instance: undefined } as const;
  // A role that serves as discovery may do so under the same name again: it has no more rights by it.
  if (claim.role !== 'agent') return { ...proven, principal: principalOf(caller, role) };
  const id = role && instanceOfRole(role);
  if (id === undefined) return proven;
  const parsed = parseRegion(region);
  if (parsed === undefined) return denied('the region of the instance is missing', { arn: caller.arn });
  // STS does not say where the instance is. A false region gains nothing: instance ids do not repeat, so
  // the key that comes of it is nobody's: there are no labels for it, and no name that it had before.
  // Locks are looked for under every region.
  const instance: InstanceKey = { account: caller.account, region: parsed, instance: id };
  return { ...proven, instance, aliases: inEveryRegion(instance) };
}

function principalOf({ arn }: CallerIdentity, role: AssumedRole | undefined): string {
  return role === undefined ? arn : `${role.partition}:${role.account}:${role.role}`;
}

function inEveryRegion(instance: InstanceKey): InstanceKey[] {
  return STS_REGIONS.flatMap((text) => {
    const region = parseRegion(text);
    return region === undefined || region === instance.region ? [] : [{ ...instance, region }];
  });
}
