import { AwsError } from './aws-error.ts';

/** `Credential=KEY/20260101/eu-central-1/ec2/aws4_request` in a SigV4 Authorization header. */
const CREDENTIAL =
  /^AWS4-HMAC-SHA256\s.*\bCredential=([^/\s,]+)\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request\b/;

export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Reads who signed, for which region and service. The signature itself is accepted as it is: the
 * simulator knows no secret keys. Throws AwsError for a header that is missing or no SigV4.
 */
export function parseCredentialScope(authorization: string | undefined): CredentialScope {
  if (authorization === undefined || authorization === '') {
    throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  const [, accessKeyId, region, service] = CREDENTIAL.exec(authorization) ?? [];
  if (accessKeyId === undefined || region === undefined || service === undefined) {
    throw new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
  }
  return { accessKeyId, region, service };
}
