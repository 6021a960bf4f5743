import { EC2Client } from '@aws-sdk/client-ec2';
import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import type { Region } from '@tagplane/identity';
import { LeanEc2Protocol } from './lean/lean-protocol.ts';

/**
 * With full jitter and a base of 0.5 s for throttling, five attempts span about 8 s: longer than the
 * bucket of Describe calls (20/s) needs to recover from a burst, and short beside a scan's interval.
 */
const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MS = 5_000;
/** To the first byte of an answer. EC2 takes a few seconds over a page of 1,000. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Without a byte in the middle of an answer. */
const SOCKET_TIMEOUT_MS = 15_000;

export interface Ec2ClientOptions {
  readonly region: Region;
  /** Default: AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL, then EC2's own, all found by the SDK. */
  readonly endpoint?: string;
  /** Default: the SDK's chain (environment, profile, container, instance role). */
  readonly credentials?: NonNullable<EC2ClientConfig['credentials']>;
  /** Tries of one request, the first included. Default 5. */
  readonly maxAttempts?: number;
}

/** The SDK's client with bounds on every wait. It does not keep a pace: a `RequestPacer` does. */
export function createEc2Client(options: Ec2ClientOptions): EC2Client {
  const { region, endpoint, credentials, maxAttempts = MAX_ATTEMPTS } = options;
  const client = new EC2Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts,
    protocol: LeanEc2Protocol,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SOCKET_TIMEOUT_MS,
    },
  });
  // It copies every answer, value by value, for a log that nobody keeps.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
