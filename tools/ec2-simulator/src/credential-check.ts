import { AwsError } from './aws-error.ts';
import type { Estate } from './estate/estate.ts';
import { allows } from './estate/role.ts';
import type { ServiceRequest } from './service.ts';
import type { StsControl } from './sts/sts-control.ts';

/**
 * Refuses temporary credentials that have run out, whose token is another, or whose role may not do
 * this; each service has its own words for it. Keys that were never made known pass. Throws AwsError.
 */
export function checkCredentials(
  { caller, http, now }: Pick<ServiceRequest, 'caller' | 'http' | 'now'>,
  action: string,
  { sts, estate }: { readonly sts: StsControl; readonly estate: Estate },
): void {
  // STS verifies signatures itself.
  if (caller.service === 'sts') return;
  const ec2 = caller.service === 'ec2';
  const credentials = sts.get(caller.accessKeyId);
  if (credentials === undefined) return;
  if (credentials.expiresAt !== undefined && now >= credentials.expiresAt) {
    throw ec2
      ? new AwsError('RequestExpired', 'Request has expired.')
      : new AwsError('ExpiredTokenException', 'The security token included in the request is expired');
  }
  if (credentials.sessionToken !== http.headers['x-amz-security-token']) {
    throw ec2
      ? new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', 401)
      : new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  const role = credentials.role === undefined ? undefined : estate.role(credentials.role);
  const name = `${caller.service}:${action}`;
  if (role === undefined || allows(role, name)) return;
  const why = `User: ${credentials.arn} is not authorized to perform: ${name} because no identity-based policy allows the ${name} action`;
  throw ec2
    ? new AwsError('UnauthorizedOperation', `You are not authorized to perform this operation. ${why}`, 403)
    : new AwsError('AccessDeniedException', why);
}
