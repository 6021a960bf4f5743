import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';

const SIGNED =
  'AWS4-HMAC-SHA256 Credential=any/20260101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0';
const QUERY = 'Version=2016-11-15';

describe('the EC2 query protocol on the wire', () => {
  let simulator: RunningSimulator;
  beforeAll(async () => {
    simulator = await createEc2Simulator({ instances: 10, regions: ['eu-central-1'] }).listen();
  });
  afterAll(() => simulator.close());

  async function post(body: string, authorization: string | undefined = SIGNED) {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization === '' ? {} : { authorization }),
    };
    const response = await fetch(simulator.url, { method: 'POST', headers, body });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  it('answers in XML with a request id', async () => {
    const { status, headers, text } = await post(`Action=DescribeRegions&${QUERY}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/xml;charset=UTF-8');
    const id = headers.get('x-amzn-requestid') ?? 'none';
    expect(text).toContain('<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">');
    expect(text).toContain(`<requestId>${id}</requestId>`);
  });

  it('takes the query string too', async () => {
    const url = `${simulator.url}/?Action=DescribeRegions&${QUERY}`;
    const response = await fetch(url, { headers: { authorization: SIGNED } });
    expect(response.status).toBe(200);
  });

  it.each([
    ['no signature', `Action=DescribeRegions&${QUERY}`, '', 403, 'MissingAuthenticationToken'],
    ['another scheme', `Action=DescribeRegions&${QUERY}`, 'Bearer x', 401, 'AuthFailure'],
    ['an unknown action', `Action=MakeTea&${QUERY}`, SIGNED, 400, 'InvalidAction'],
    ['no action', QUERY, SIGNED, 400, 'InvalidAction'],
    ['another version', 'Action=DescribeRegions&Version=2011-01-01', SIGNED, 400, 'NoSuchVersion'],
    [
      'another service',
      `Action=SendMessage&${QUERY}`,
      SIGNED.replace('/ec2/', '/kms/'),
      400,
      'InvalidAction',
    ],
    [
      'a list without numbers',
      `Action=DescribeInstances&${QUERY}&InstanceId.x=1`,
      SIGNED,
      400,
      'UnknownParameter',
    ],
    [
      'a number that is none',
      `Action=DescribeInstances&${QUERY}&MaxResults=ten`,
      SIGNED,
      400,
      'InvalidParameterValue',
    ],
  ])('refuses %s in AWS’s form', async (_, body, authorization, status, code) => {
    const answer = await post(body, authorization);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(
      new RegExp(
        `^<\\?xml version="1.0" encoding="UTF-8"\\?>\\n<Response><Errors><Error><Code>${code}</Code>` +
          '<Message>[^<]+</Message></Error></Errors><RequestID>[0-9a-f-]{36}</RequestID></Response>$',
      ),
    );
  });

  it('escapes what it repeats', async () => {
    const { text } = await post(`Action=${encodeURIComponent('<a>&')}&${QUERY}`);
    expect(text).toContain('The action &lt;a&gt;&amp; is not valid');
  });

  it('makes a page about as large as EC2 does', async () => {
    const { text } = await post(`Action=DescribeInstances&${QUERY}`);
    expect(text.length / 10).toBeGreaterThan(4_000);
    expect(text.length / 10).toBeLessThan(7_000);
  });

  it('closes with a request under way', async () => {
    const other = await createEc2Simulator({ instances: 1 }).listen();
    other.fleet.addFault({ delayMs: 60_000 });
    const body = `Action=DescribeRegions&${QUERY}`;
    const pending = fetch(other.url, { method: 'POST', headers: { authorization: SIGNED }, body }).then(
      () => 'answered',
      () => 'cut',
    );
    while (other.fleet.report().faultsPending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await other.close();
    expect(await pending).toBe('cut');
  });
});
