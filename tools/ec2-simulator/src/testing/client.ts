import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';

/** A real client of the simulator, for its specs; it never retries, so that each error is seen. */
export function clientOf(url: string, region = 'eu-central-1', accessKeyId = 'any'): EC2Client {
  const credentials = { accessKeyId, secretAccessKey: 'any' };
  return new EC2Client({ region, endpoint: url, credentials, maxAttempts: 1 });
}

export async function describe(
  client: EC2Client,
  input: ConstructorParameters<typeof DescribeInstancesCommand>[0] = {},
): Promise<{ instances: Instance[]; nextToken: string | undefined }> {
  const { Reservations = [], NextToken } = await client.send(new DescribeInstancesCommand(input));
  return { instances: Reservations.flatMap(({ Instances = [] }) => Instances), nextToken: NextToken };
}

export function idsOf(instances: readonly Instance[]): string[] {
  return instances.map(({ InstanceId = '' }) => InstanceId);
}

export function tagsOf(instance: Instance | undefined): Map<string, string> {
  return new Map((instance?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** The name and message of what a promise rejects with. */
export async function refusal(
  promise: Promise<unknown>,
): Promise<{ name: string; status: number | undefined }> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof Error)) throw new Error('it was not refused');
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : {};
  return { name: error.name, status: metadata.httpStatusCode };
}
