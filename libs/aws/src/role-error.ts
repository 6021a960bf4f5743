import type { AwsCallErrorKind } from './call-error.ts';

export interface RoleFailure {
  /** The role that could not be assumed: of a chain, the one at which it ended. */
  readonly roleArn: string;
  readonly kind: AwsCallErrorKind;
  /** The code that AWS or the system gave, such as `AccessDenied` or `ECONNREFUSED`. */
  readonly code: string;
  /** What a person can do about it. */
  readonly fix: string;
}

/** A role that could not be assumed, and what to do. The message has no secret, the external id included. */
export class RoleError extends Error {
  override readonly name = 'RoleError';
  readonly roleArn: string;
  readonly kind: AwsCallErrorKind;
  readonly code: string;
  readonly fix: string;

  constructor({ roleArn, kind, code, fix }: RoleFailure, options?: { cause?: unknown }) {
    super(`cannot assume ${roleArn}: ${code}: ${fix}`, options);
    this.roleArn = roleArn;
    this.kind = kind;
    this.code = code;
    this.fix = fix;
  }
}
