import type { TokenSource } from '@tagplane/credentials';
import type { Region } from '@tagplane/identity';

/** By what an agent gets its first certificate. */
export type JoinBy =
  | ({ readonly method: 'token' } & TokenSource)
  | {
      readonly method: 'iam';
      /** Which AWS credentials sign: the instance-identity role's, the usual chain's, or whichever there are. */
      readonly credentials: 'auto' | 'instance' | 'chain';
      /** Of the STS endpoint; undefined: where the instance is. */
      readonly region: Region | undefined;
    }
  | { readonly method: 'ec2' };

export interface JoinSettings {
  readonly by: JoinBy;
  /** Of authorities of the cluster, as `publicKeyPin` writes them. */
  readonly pins: readonly string[];
  /** A file with more of them. */
  readonly pinFile?: string | undefined;
}
