import { AwsError } from './aws-error.ts';
import type { Service, ServiceRequest, ServiceResponse } from './service.ts';

/** A request's members by their names on the wire, such as `QueueUrl`. */
export type JsonInput = Readonly<Record<string, unknown>>;

/** Carries out one action and gives its answer's members. Throws AwsError. */
export type JsonAction = (
  input: JsonInput,
  request: ServiceRequest,
  signal: AbortSignal,
) => object | Promise<object>;

export interface JsonServiceOptions {
  /** The signing name, such as `organizations`. */
  readonly name: string;
  /** What stands before the action in `x-amz-target`, such as `AWSOrganizationsV20161128`. */
  readonly target: string;
  /** AWS JSON 1.0 or 1.1. */
  readonly version: '1.0' | '1.1';
  readonly actions: ReadonlyMap<string, JsonAction>;
  /** The namespace before an error's code in `__type`, such as `com.amazonaws.sqs`. Default none. */
  readonly errorNamespace?: string;
}

/**
 * A service that speaks AWS JSON: the action in `x-amz-target`, else in the parameter `Action` of the
 * query string; a JSON body; errors with `__type` and `x-amzn-errortype`.
 */
export function createJsonService(options: JsonServiceOptions): Service {
  const { name, target, version, actions, errorNamespace } = options;
  const contentType = `application/x-amz-json-${version}`;
  const actionOf: Service['actionOf'] = ({ http }) => {
    const [service = '', action = ''] = (http.headers['x-amz-target'] ?? '').split('.');
    return service === target ? action : (http.url.searchParams.get('Action') ?? '');
  };
  return {
    name,
    actionOf,
    handle: async (request, signal) => {
      const action = actions.get(actionOf(request));
      if (action === undefined) {
        throw new AwsError('UnknownOperationException', `${name} has no action '${actionOf(request)}' here`);
      }
      const answer = await action(readInput(request.http.body), request, signal);
      return { contentType, body: [JSON.stringify(answer)] };
    },
    errorBody: ({ code, message }): ServiceResponse => ({
      contentType,
      headers: { 'x-amzn-errortype': code },
      body: [
        JSON.stringify({
          __type: errorNamespace === undefined ? code : `${errorNamespace}#${code}`,
          message,
        }),
      ],
    }),
  };
}

function readInput(body: string): JsonInput {
  if (body === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AwsError('SerializationException', 'The body is no JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonInput;
  throw new AwsError('SerializationException', 'The body is no JSON object');
}
