import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { startRedis } from '@tagplane/store-redis/testing';

export interface ExampleServices extends AsyncDisposable {
  /** How the example finds them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts what the example of a library's README needs beside itself. */
export async function servicesFor(name: string): Promise<ExampleServices> {
  if (name === '@tagplane/store-redis') {
    const redis = await startRedis();
    return { env: { REDIS_URL: redis.url }, [Symbol.asyncDispose]: () => redis.stop() };
  }
  if (name === '@tagplane/ec2') {
    const ec2 = await createEc2Simulator({ instances: 3, regions: ['eu-central-1'] }).listen();
    const env = {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_EC2: ec2.url,
      AWS_ACCESS_KEY_ID: 'example',
      AWS_SECRET_ACCESS_KEY: 'example',
    };
    return { env, [Symbol.asyncDispose]: () => ec2.close() };
  }
  if (name === '@tagplane/aws') {
    const accounts = [{ id: '111111111111' }, { id: '222222222222' }];
    const estate = { accounts, role: 'TagplaneDiscovery' };
    const aws = await createEc2Simulator({ instances: 0, account: '111111111111', estate }).listen();
    const env = {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: 'example',
      AWS_SECRET_ACCESS_KEY: 'example',
    };
    return { env, [Symbol.asyncDispose]: () => aws.close() };
  }
  return { env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
}
