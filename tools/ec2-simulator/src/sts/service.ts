import { AwsError } from '../aws-error.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../service.ts';
import { escapeXml } from '../xml.ts';
import { isSignedWith, signedAt } from './signature.ts';
import type { StsControl, StsIdentity } from './sts-control.ts';

const VERSION = '2011-06-15';
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`;
/** "…within 15 minutes of the time stamp in the request" (Signature Version 4). */
const SIGNATURE_LIFE_MS = 15 * 60 * 1000;

/** STS's GetCallerIdentity. Signatures are verified: an unknown key, or a wrong one, gets what AWS says. */
export function createStsService(control: StsControl): Service {
  return {
    name: 'sts',
    actionOf: ({ parameters }) => parameters.get('Action') ?? '',
    handle: async (request) => respond(await identify(request, control), request),
    errorBody: ({ code, message }, requestId) => ({
      contentType: 'text/xml',
      body: [
        `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${escapeXml(code)}</Code>`,
        `<Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      ],
    }),
  };
}

/** Throws AwsError. */
async function identify(request: ServiceRequest, control: StsControl): Promise<StsIdentity> {
  const { caller, parameters, http, now } = request;
  const action = parameters.get('Action') ?? '';
  if (action !== 'GetCallerIdentity' || parameters.get('Version') !== VERSION) {
    throw new AwsError('InvalidAction', `Could not find operation ${action} for version ${VERSION}`);
  }
  const credentials = control.get(caller.accessKeyId);
  const token = http.headers['x-amz-security-token'];
  if (credentials === undefined || credentials.sessionToken !== token) {
    throw refused('InvalidClientTokenId', 'The security token included in the request is invalid.');
  }
  const time = signedAt(http.headers);
  if (!(Math.abs(now - time) <= SIGNATURE_LIFE_MS)) {
    throw refused('SignatureDoesNotMatch', 'Signature expired, or not yet current');
  }
  if (!(await isSignedWith(http, credentials))) {
    throw refused(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    );
  }
  if (credentials.expiresAt !== undefined && now >= credentials.expiresAt) {
    throw refused('ExpiredToken', 'The security token included in the request is expired');
  }
  return credentials;
}

/** JSON for whoever accepts it first, as STS does. */
function respond(
  { account, arn, userId }: StsIdentity,
  { http, requestId }: ServiceRequest,
): ServiceResponse {
  if (http.headers['accept']?.startsWith('application/json') === true) {
    const result = { Account: account, Arn: arn, UserId: userId };
    const answer = { GetCallerIdentityResult: result, ResponseMetadata: { RequestId: requestId } };
    return { contentType: 'application/json', body: [JSON.stringify({ GetCallerIdentityResponse: answer })] };
  }
  return {
    contentType: 'text/xml',
    body: [
      `<GetCallerIdentityResponse xmlns="${NAMESPACE}">\n  <GetCallerIdentityResult>\n`,
      `    <Arn>${escapeXml(arn)}</Arn>\n    <UserId>${escapeXml(userId)}</UserId>\n`,
      `    <Account>${escapeXml(account)}</Account>\n  </GetCallerIdentityResult>\n`,
      `  <ResponseMetadata>\n    <RequestId>${requestId}</RequestId>\n  </ResponseMetadata>\n`,
      '</GetCallerIdentityResponse>\n',
    ],
  };
}

function refused(code: string, message: string): AwsError {
  return new AwsError(code, message, 403);
}
