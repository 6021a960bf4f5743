import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came: of JSON services the parsed body, of STS its form. */
export interface ReceivedCall {
  /** Such as `ListAccounts` or `AssumeRole`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The access key id of its signature. */
  readonly accessKeyId: string;
}

/** What to answer: an object as JSON, text as it is, an error by its code; undefined hangs until the end. */
export type EndpointAnswer =
  | { readonly body: object | string }
  | { readonly error: string; readonly status?: number; readonly message?: string }
  | undefined;

/** A stand-in for an endpoint of AWS, on a free loopback port. */
export interface FakeEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly ReceivedCall[];
}

/** Serves AWS JSON and STS's forms as the script says; what it throws is a fault of the service. */
export async function fakeEndpoint(script: (call: ReceivedCall) => EndpointAnswer): Promise<FakeEndpoint> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const call = receivedCall(request, text);
      calls.push(call);
      answer(call, script(call), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function receivedCall({ headers }: IncomingMessage, text: string): ReceivedCall {
  const accessKeyId = /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    const input = JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
    return { operation: target.split('.').at(-1) ?? '', input, accessKeyId };
  }
  const { Action = '', ...input } = Object.fromEntries(new URLSearchParams(text));
  return { operation: Action, input, accessKeyId };
}

function answer(call: ReceivedCall, given: EndpointAnswer, response: ServerResponse): void {
  if (given === undefined) return;
  const json = !('Version' in call.input);
  response.setHeader('content-type', json ? 'application/x-amz-json-1.1' : 'text/xml');
  if ('error' in given) {
    response.statusCode = given.status ?? 400;
    const { error, message = 'from AWS' } = given;
    response.end(
      json
        ? JSON.stringify({ __type: error, message })
        : `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
    return;
  }
  response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
}

/** What STS answers to AssumeRole. */
export function assumedXml(accessKeyId: string, expiration: Date): string {
  return (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
    `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret-of-${accessKeyId}</SecretAccessKey>` +
    `<SessionToken>token-of-${accessKeyId}</SessionToken><Expiration>${expiration.toISOString()}</Expiration>` +
    '</Credentials></AssumeRoleResult></AssumeRoleResponse>'
  );
}
