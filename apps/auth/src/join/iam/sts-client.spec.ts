import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from '@tagplane/runtime';
import { until } from '../../testing/test-stores.ts';
import { createJoinMetrics } from '../metrics.ts';
import { createStsClient } from './sts-client.ts';
import type { StsAnswer, StsClient } from './sts-client.ts';

const REQUEST = { host: 'sts.eu-central-1.amazonaws.com', headers: { 'x-tagplane-nonce': 'n' } };
const ARN = 'arn:aws:sts::123456789012:assumed-role/web/session';
const GOOD = JSON.stringify({
  GetCallerIdentityResponse: {
    GetCallerIdentityResult: { Account: '123456789012', Arn: ARN, UserId: 'u' },
  },
});
const signal = new AbortController().signal;

describe('createStsClient', () => {
  let server: Server;
  let endpoint: URL;
  let received: { request: IncomingMessage; body: string }[];
  let answer: (response: ServerResponse) => unknown;
  let registry: Registry;
  beforeEach(async () => {
    received = [];
    registry = new Registry();
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ request, body });
        answer(response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  function client(deadlineMs?: number): StsClient {
    const metrics = createJoinMetrics(registry);
    return createStsClient({ endpoint, metrics, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  }

  function respond(status: number, body: string, headers: Record<string, string> = {}) {
    return (response: ServerResponse) => response.writeHead(status, headers).end(body);
  }

  it('sends what was signed, for the host that was signed for', async () => {
    answer = respond(200, GOOD);
    expect(await client().getCallerIdentity(REQUEST, signal)).toEqual({
      result: 'ok',
      caller: { account: '123456789012', arn: ARN, userId: 'u' },
    });
    const [{ request, body } = fail()] = received;
    expect([request.method, request.url, body]).toEqual([
      'POST',
      '/',
      'Action=GetCallerIdentity&Version=2011-06-15',
    ]);
    expect(request.headers).toMatchObject({
      host: REQUEST.host,
      'x-tagplane-nonce': 'n',
      'content-length': '43',
    });
    expect(await registry.getSingleMetricAsString('tagplane_auth_sts_requests_total')).toContain(
      'tagplane_auth_sts_requests_total{result="ok"} 1',
    );
  });

  const error = (code: string) => `{"Error":{"Code":"${code}"}}`;
  it.each([
    [
      '403 with a code',
      403,
      error('SignatureDoesNotMatch'),
      { result: 'refused', code: 'SignatureDoesNotMatch' },
    ],
    ['400 with a code', 400, error('ExpiredToken'), { result: 'refused', code: 'ExpiredToken' }],
    ['400 that it has too much to do', 400, error('Throttling'), { result: 'unavailable' }],
    ['403 of somebody else', 403, '<html>Forbidden</html>', { result: 'unavailable' }],
    ['429', 429, error('Throttling'), { result: 'unavailable' }],
    ['500', 500, error('InternalFailure'), { result: 'unavailable' }],
    ['503 with a good body', 503, GOOD, { result: 'unavailable' }],
    ['200 and garbage', 200, '<html>welcome</html>', { result: 'unavailable' }],
    ['200 and nothing', 200, '', { result: 'unavailable' }],
    ['200 and far too much', 200, ' '.repeat(65 * 1024) + GOOD, { result: 'unavailable' }],
  ] as [string, number, string, StsAnswer][])(
    'makes of %s what it is',
    async (_what, status, body, expected) => {
      answer = respond(status, body);
      expect(await client().getCallerIdentity(REQUEST, signal)).toEqual(expected);
      expect(await registry.getSingleMetricAsString('tagplane_auth_sts_requests_total')).toContain(
        `tagplane_auth_sts_requests_total{result="${expected.result}"} 1`,
      );
    },
  );

  it('goes where it is sent by nobody', async () => {
    answer = respond(302, '', { location: `${endpoint.href}elsewhere` });
    expect(await client().getCallerIdentity(REQUEST, signal)).toEqual({ result: 'unavailable' });
    expect(received.map(({ request }) => request.url)).toEqual(['/']);
  });

  it.each([
    ['that never answers', () => undefined],
    ['that hangs up', (response: ServerResponse) => response.destroy()],
    ['that stops in the middle', (response: ServerResponse) => response.writeHead(200).write('{')],
    [
      'that hangs up in the middle',
      (response: ServerResponse) =>
        response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy()),
    ],
  ])('gives up on one %s', async (_what, behave) => {
    answer = behave;
    expect(await client(200).getCallerIdentity(REQUEST, signal)).toEqual({ result: 'unavailable' });
  });

  it('gives up on one that is not there', async () => {
    endpoint = new URL('http://127.0.0.1:1');
    expect(await client().getCallerIdentity(REQUEST, signal)).toEqual({ result: 'unavailable' });
  });

  it('ends with its caller', async () => {
    answer = () => undefined;
    const stop = new AbortController();
    const call = client().getCallerIdentity(REQUEST, stop.signal);
    await until(() => received.length > 0, 'a request');
    stop.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
  });

  it('asks 32 times at once and no more', async () => {
    const waiting: ServerResponse[] = [];
    answer = (response) => waiting.push(response);
    const sts = client(30_000);
    const calls = Array.from({ length: 40 }, () => sts.getCallerIdentity(REQUEST, signal));
    await until(() => waiting.length === 32, 'all that may');
    respond(200, GOOD)(waiting.shift() ?? fail());
    await until(() => received.length === 33, 'the next');
    expect(waiting).toHaveLength(32);
    answer = respond(200, GOOD);
    for (const response of waiting) respond(200, GOOD)(response);
    expect((await Promise.all(calls)).every(({ result }) => result === 'ok')).toBe(true);
  });
});

function fail(): never {
  throw new Error('there is none');
}
