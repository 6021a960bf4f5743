import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { DescribedAnswer, DescribedInstance } from '../lean/described.ts';
import { LeanEc2Protocol } from '../lean/lean-protocol.ts';

/** An EC2 client that is answered with given bytes: what it makes of them, by either protocol. */
export function describingClient(options: {
  readonly lean: boolean;
}): (body: AsyncIterable<Buffer>) => Promise<Outcome> {
  const served: { body?: unknown } = {};
  const client = new EC2Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    ...(options.lean ? { protocol: LeanEc2Protocol } : {}),
    streamCollector: collected,
    requestHandler: {
      handle: () =>
        Promise.resolve({ response: { statusCode: 200, headers: {}, body: served.body } as never }),
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  });
  client.middlewareStack.remove('loggerMiddleware');
  return async (body) => {
    served.body = body;
    try {
      const { Reservations, NextToken } = await client.send(new DescribeInstancesCommand({}));
      // The scanner takes no set at all for a malformed answer, whoever parsed it.
      return Reservations === undefined ? 'refused' : projected({ Reservations, NextToken });
    } catch {
      return 'refused';
    }
  };
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export type Outcome = DescribedAnswer | 'refused';

/** What is read of an answer, of all that the SDK reads. */
export function projected({ Reservations, NextToken }: DescribedAnswer): DescribedAnswer {
  const instance = ({ InstanceId, State, VpcId, Platform, Tags }: DescribedInstance): DescribedInstance => ({
    InstanceId,
    State: State && { Name: State.Name },
    VpcId,
    Platform,
    Tags,
  });
  return {
    NextToken,
    Reservations: Reservations?.map(({ OwnerId, Instances }) => ({
      OwnerId,
      Instances: Instances?.map(instance),
    })),
  };
}
