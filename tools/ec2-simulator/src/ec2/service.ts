import { AwsError } from '../aws-error.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../service.ts';
import { XML_HEAD, escapeXml } from '../xml.ts';
import type { Action, ActionContext } from './action.ts';
import { createTags, deleteTags } from './change-tags.ts';
import { describeInstances } from './describe-instances.ts';
import { describeRegions } from './describe-regions.ts';
import { describeTags } from './describe-tags.ts';
import { pageOfToken } from './page-token.ts';
import { runInstances, startInstances, stopInstances, terminateInstances } from './lifecycle.ts';

const VERSION = '2016-11-15';
const NAMESPACE = `http://ec2.amazonaws.com/doc/${VERSION}/`;
const CONTENT_TYPE = 'text/xml;charset=UTF-8';

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['CreateTags', createTags],
  ['DeleteTags', deleteTags],
  ['DescribeInstances', describeInstances],
  ['DescribeRegions', describeRegions],
  ['DescribeTags', describeTags],
  ['RunInstances', runInstances],
  ['StartInstances', startInstances],
  ['StopInstances', stopInstances],
  ['TerminateInstances', terminateInstances],
]);

/** EC2's query protocol over a fleet. */
export function createEc2Service(context: ActionContext): Service {
  return {
    name: 'ec2',
    actionOf: ({ parameters }) => parameters.get('Action') ?? '',
    pageOf: ({ parameters }) => pageOfToken(parameters.get('NextToken') ?? ''),
    handle: (request) => handle(request, context),
    errorBody: ({ code, message }, requestId) => ({
      contentType: CONTENT_TYPE,
      body: [
        `${XML_HEAD}<Response><Errors><Error><Code>${escapeXml(code)}</Code>`,
        `<Message>${escapeXml(message)}</Message></Error></Errors>`,
        `<RequestID>${requestId}</RequestID></Response>`,
      ],
    }),
  };
}

function handle(request: ServiceRequest, context: ActionContext): ServiceResponse {
  const { caller, parameters, requestId } = request;
  const name = parameters.get('Action') ?? '';
  const action = ACTIONS.get(name);
  if (action === undefined) {
    throw new AwsError('InvalidAction', `The action ${name} is not valid for this web service.`);
  }
  if (parameters.get('Version') !== VERSION) {
    throw new AwsError('NoSuchVersion', `The requested version is not ${VERSION}`);
  }
  const { fleet, estate } = context;
  const enabled = estate.optInStatus(caller.account, caller.region) !== 'not-opted-in';
  if (!enabled || !fleet.hasRegion(caller.region)) {
    // What EC2 answers in a region that the account has not enabled.
    throw new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
  }
  return { contentType: CONTENT_TYPE, body: respond(name, requestId, action(request, context)) };
}

function* respond(
  action: string,
  requestId: string,
  inner: Iterable<string>,
): Generator<string, void, undefined> {
  yield `${XML_HEAD}<${action}Response xmlns="${NAMESPACE}">\n<requestId>${requestId}</requestId>`;
  yield* inner;
  yield `\n</${action}Response>`;
}
