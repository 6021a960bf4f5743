import { AwsError } from '../aws-error.ts';
import type { Estate } from '../estate/estate.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../service.ts';
import { escapeXml } from '../xml.ts';
import { assumeRole } from './assume-role.ts';
import { isSignedWith, signedAt } from './signature.ts';
import type { StsControl, StsCredentials, StsIdentity } from './sts-control.ts';

const VERSION = '2011-06-15';
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`;
/** "…within 15 minutes of the time stamp in the request" (Signature Version 4). */
const SIGNATURE_LIFE_MS = 15 * 60 * 1000;

export interface StsContext {
  readonly sts: StsControl;
  readonly estate: Estate;
  /** Ends sessions earlier than asked for, in milliseconds. */
  readonly sessionTtlMs: number | undefined;
}

type Action = (request: ServiceRequest, context: StsContext) => Promise<object>;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    'GetCallerIdentity',
    async (request, { sts }) => {
      const { arn, userId, account } = await identify(request, sts);
      return { Arn: arn, UserId: userId, Account: account };
    },
  ],
  [
    'AssumeRole',
    async (request, { sts, estate, sessionTtlMs }) => {
      const caller = await identifyCaller(request, sts);
      const { parameters, now } = request;
      return sessionView(assumeRole(parameters, caller, { estate, sts, now, sessionTtlMs }));
    },
  ],
]);

/** STS. Signatures are verified: an unknown key, or a wrong one, gets what AWS says. */
export function createStsService(context: StsContext): Service {
  return {
    name: 'sts',
    actionOf: ({ parameters }) => parameters.get('Action') ?? '',
    handle: async (request) => {
      const name = request.parameters.get('Action') ?? '';
      const action = ACTIONS.get(name);
      if (action === undefined || request.parameters.get('Version') !== VERSION) {
        throw new AwsError('InvalidAction', `Could not find operation ${name} for version ${VERSION}`);
      }
      return respond(name, await action(request, context), request);
    },
    errorBody: ({ code, message }, requestId) => ({
      contentType: 'text/xml',
      body: [
        `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${escapeXml(code)}</Code>`,
        `<Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      ],
    }),
  };
}

/**
 * Who calls. A key that was never made known is a user of its account, as it is for EC2: the simulator's
 * own clients may sign with anything.
 */
async function identifyCaller(request: ServiceRequest, control: StsControl): Promise<StsIdentity> {
  const { account, accessKeyId } = request.caller;
  if (control.get(accessKeyId) !== undefined) return await identify(request, control);
  return { account, arn: `arn:aws:iam::${account}:user/${accessKeyId}`, userId: accessKeyId };
}

/** Throws AwsError. */
async function identify(request: ServiceRequest, control: StsControl): Promise<StsIdentity> {
  const { caller, http, now } = request;
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

function sessionView(session: StsCredentials): object {
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken ?? '',
      Expiration: new Date(session.expiresAt ?? 0).toISOString(),
    },
    AssumedRoleUser: { Arn: session.arn, AssumedRoleId: session.userId },
  };
}

/** JSON for whoever accepts it first, as STS does. */
function respond(action: string, result: object, { http, requestId }: ServiceRequest): ServiceResponse {
  if (http.headers['accept']?.startsWith('application/json') === true) {
    const answer = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
    return { contentType: 'application/json', body: [JSON.stringify({ [`${action}Response`]: answer })] };
  }
  return {
    contentType: 'text/xml',
    body: [
      `<${action}Response xmlns="${NAMESPACE}">\n  <${action}Result>\n${elements(result)}  </${action}Result>\n`,
      `  <ResponseMetadata>\n    <RequestId>${requestId}</RequestId>\n  </ResponseMetadata>\n`,
      `</${action}Response>\n`,
    ],
  };
}

function elements(members: object): string {
  return Object.entries(members)
    .map(([name, value]: [string, unknown]) => {
      const inner =
        typeof value === 'object' && value !== null ? `\n${elements(value)}` : escapeXml(String(value));
      return `    <${name}>${inner}</${name}>\n`;
    })
    .join('');
}

function refused(code: string, message: string): AwsError {
  return new AwsError(code, message, 403);
}
