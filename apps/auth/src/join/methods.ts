import type { Ec2Proof, IamProof, TokenProof } from '@tagplane/protocol';
import type { Store } from '@tagplane/store';
import type { JoinConfig } from './config.ts';
import { createEc2Verifier } from './ec2/ec2-verifier.ts';
import { readRegionCertificates } from './ec2/region-certificates.ts';
import { createIamVerifier } from './iam/iam-verifier.ts';
import { createStsClient } from './iam/sts-client.ts';
import { JoinRecords } from './join-records.ts';
import type { JoinMetrics } from './metrics.ts';
import { createTokenVerifier } from './token/token-verifier.ts';
import { Tokens } from './token/tokens.ts';
import type { JoinVerifier } from './verifier.ts';

/** The ways in; undefined: not set up here. */
export interface JoinVerifiers {
  readonly token: JoinVerifier<Pick<TokenProof, 'token'>>;
  readonly iam: JoinVerifier<Pick<IamProof, 'host' | 'headers' | 'region'>> | undefined;
  readonly ec2: JoinVerifier<Pick<Ec2Proof, 'document' | 'signature'>> | undefined;
}

export interface JoinMethods {
  readonly verifiers: JoinVerifiers;
  readonly tokens: Tokens;
  readonly records: JoinRecords;
}

/**
 * Sets up the ways in that are configured.
 *
 * @throws ConfigError for certificates that cannot be read
 */
export function createJoinMethods(
  { iam, ec2 }: Pick<JoinConfig, 'iam' | 'ec2'>,
  options: { readonly store: Store; readonly metrics: JoinMetrics; readonly now: () => number },
): JoinMethods {
  const { store, metrics, now } = options;
  const tokens = new Tokens({ store, now });
  return {
    tokens,
    records: new JoinRecords({ store }),
    verifiers: {
      token: createTokenVerifier({ tokens, now }),
      iam:
        iam &&
        createIamVerifier({ config: iam, sts: createStsClient({ endpoint: iam.sts_endpoint, metrics }) }),
      ec2:
        ec2 &&
        createEc2Verifier({ config: ec2, certificates: readRegionCertificates(ec2.certificates), now }),
    },
  };
}
