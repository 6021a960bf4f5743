import { ListAccountsCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { describe, expect, it } from '@jest/globals';
import { AwsError } from './aws-error.ts';
import { createJsonService } from './json-service.ts';
import { createEc2Simulator } from './simulator.ts';
import type { HttpExchange, ServiceRequest } from './service.ts';

const service = createJsonService({
  name: 'thing',
  target: 'Thing_V1',
  version: '1.0',
  errorNamespace: 'com.amazonaws.thing',
  actions: new Map([['Echo', (input) => ({ echo: input })]]),
});

function request(change: Partial<HttpExchange>): ServiceRequest {
  const http = { method: 'POST', url: new URL('http://simulator/'), headers: {}, body: '', ...change };
  const caller = { account: '1', accessKeyId: 'A', region: 'eu-central-1', service: 'thing' };
  return { caller, parameters: http.url.searchParams, http, requestId: 'r', now: 0 };
}

describe('createJsonService', () => {
  const echo = { 'x-amz-target': 'Thing_V1.Echo' };

  it.each<[string, Partial<HttpExchange>, string]>([
    ['the target header', { headers: echo }, 'Echo'],
    ['the query string', { url: new URL('http://simulator/?Action=Echo') }, 'Echo'],
    ['another service’s target', { headers: { 'x-amz-target': 'Other.Echo' } }, ''],
    ['nothing', {}, ''],
  ])('takes the action from %s', (_what, change, action) => {
    expect(service.actionOf(request(change))).toBe(action);
  });

  it('gives the members of the body to the action and writes its answer', async () => {
    const { signal } = new AbortController();
    const answer = await service.handle(request({ headers: echo, body: '{"a":1}' }), signal);
    expect(answer).toEqual({ contentType: 'application/x-amz-json-1.0', body: ['{"echo":{"a":1}}'] });
  });

  it.each([
    ['{', 'SerializationException', echo],
    ['[]', 'SerializationException', echo],
    ['{}', 'UnknownOperationException', { 'x-amz-target': 'Thing_V1.Other' }],
  ])('refuses %j with %s', async (body, code, headers) => {
    const { signal } = new AbortController();
    const refused = Promise.resolve(service.handle(request({ headers, body }), signal));
    await expect(refused).rejects.toMatchObject({ code });
  });

  it('writes errors as AWS JSON does', () => {
    const { headers, body } = service.errorBody(new AwsError('NoThing', 'there is none'), 'r');
    expect(headers).toEqual({ 'x-amzn-errortype': 'NoThing' });
    expect(JSON.parse([...body].join(''))).toEqual({
      __type: 'com.amazonaws.thing#NoThing',
      message: 'there is none',
    });
  });

  it('stands on the shared port, chosen by its signing name', async () => {
    await using simulator = await createEc2Simulator({ instances: 0 }).listen();
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    const client = new OrganizationsClient({
      ...{ endpoint: simulator.url, region: 'us-east-1', credentials, maxAttempts: 1 },
    });
    await expect(client.send(new ListAccountsCommand({}))).rejects.toThrow();
    client.destroy();
    expect(simulator.fleet.report().requests).toEqual({ ListAccounts: 1 });
  });
});
