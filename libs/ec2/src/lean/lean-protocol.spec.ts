import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from '@jest/globals';
import { LeanEc2Protocol } from './lean-protocol.ts';

interface Answered {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

async function describeInstances(lean: boolean, answered: Answered) {
  const client = new EC2Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    ...(lean ? { protocol: LeanEc2Protocol } : {}),
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: {
            statusCode: answered.status ?? 200,
            headers: answered.headers ?? {},
            body: answered.body,
          } as never,
        }),
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  });
  return await client.send(new DescribeInstancesCommand({}));
}

const item = (inside: string): string =>
  `<item><ownerId>1</ownerId><instancesSet><item>${inside}</item></instancesSet></item>`;
const answer = (set: string): Uint8Array =>
  Buffer.from(
    `<DescribeInstancesResponse><reservationSet>${set}</reservationSet></DescribeInstancesResponse>`,
  );

describe('LeanEc2Protocol', () => {
  it('keeps the metadata of the answer', async () => {
    const { $metadata } = await describeInstances(true, {
      headers: { 'x-amzn-requestid': 'r-1' },
      body: answer(''),
    });
    expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: 'r-1', attempts: 1 });
  });

  it('leaves errors to the SDK', async () => {
    const body = Buffer.from(
      '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>',
    );
    for (const lean of [true, false]) {
      await expect(describeInstances(lean, { status: 403, body })).rejects.toMatchObject({
        name: 'UnauthorizedOperation',
        message: 'no',
        $metadata: { httpStatusCode: 403 },
      });
    }
  });

  it('has the SDK read what it does not understand', async () => {
    const body = Buffer.concat([Buffer.from('<!DOCTYPE x>'), answer(item('<instanceId>i-1</instanceId>'))]);
    const { Reservations } = await describeInstances(true, { body });
    expect(Reservations).toEqual([{ OwnerId: '1', Instances: [{ InstanceId: 'i-1' }] }]);
  });

  it('calls what nobody can read malformed, without its text', async () => {
    const error: unknown = await describeInstances(true, { body: Buffer.from('<html><br></html>') }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ name: 'MalformedResponse', $retryable: { throttling: false } });
    expect(error).not.toHaveProperty('$responseBodyText');
  });

  it('passes on how the body broke off', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(answer('').subarray(0, 20));
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    }
    await expect(describeInstances(true, { body: body() })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('reads a body of megabytes in slices', async () => {
    const set = item(`<instanceId>i-1</instanceId><x>${'<y>z</y>'.repeat(250_000)}</x>`);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const { Reservations } = await describeInstances(true, { body: answer(set) });
    clearInterval(timer);
    expect(Reservations?.[0]?.Instances).toEqual([{ InstanceId: 'i-1' }]);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('where it is not as the SDK', () => {
  const both = async (set: string) => {
    const read = async (lean: boolean) => (await describeInstances(lean, { body: answer(set) })).Reservations;
    return { ours: await read(true), sdk: await read(false).catch(() => 'refused') };
  };

  it('a set laid out with spaces, without line ends, is not empty', async () => {
    const { ours, sdk } = await both(` ${item('<instanceId>i-1</instanceId>')}`);
    expect(ours).toEqual([{ OwnerId: '1', Instances: [{ InstanceId: 'i-1' }] }]);
    expect(sdk).toEqual([]);
  });

  it('references to characters beyond the first plane are those characters', async () => {
    const { ours, sdk } = await both(
      item('<tagSet><item><key>k</key><value>&#x1F600;</value></item></tagSet>'),
    );
    expect(ours?.[0]?.Instances?.[0]?.Tags).toEqual([{ Key: 'k', Value: '😀' }]);
    expect(sdk).not.toEqual(ours);
  });

  it('what is not read is not judged', async () => {
    const { ours, sdk } = await both(item('<instanceId>i-1</instanceId><launchTime>soon</launchTime>'));
    expect(ours).toEqual([{ OwnerId: '1', Instances: [{ InstanceId: 'i-1' }] }]);
    expect(sdk).toBe('refused');
  });

  it('of a set that comes twice, nothing is dropped in silence', async () => {
    const twice = Buffer.from(
      `<DescribeInstancesResponse><reservationSet/><reservationSet>${item('')}</reservationSet></DescribeInstancesResponse>`,
    );
    await expect(describeInstances(true, { body: twice })).rejects.toMatchObject({
      name: 'MalformedResponse',
    });
    expect((await describeInstances(false, { body: twice })).Reservations).toEqual([]);
  });
});
