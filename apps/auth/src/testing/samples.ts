import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServerInfoSchema } from '@tagplane/protocol';

export type ServerInfoInit = MessageInitShape<typeof ServerInfoSchema>;

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';

/** Of the nth instance. */
export function instanceId(n: number): string {
  return `i-${n.toString(16).padStart(17, '0')}`;
}

/** The name of the nth instance's ServerInfo. */
export function discoveredNameOf(n: number): string {
  return `aws-${ACCOUNT}-${REGION}-${instanceId(n)}`;
}

/** A good one of the nth instance, as discovery sends it. */
export function discovered(
  n: number,
  labels: Record<string, string> = { 'aws/Name': `web ${n}` },
): ServerInfoInit {
  return {
    name: discoveredNameOf(n),
    match: {
      target: {
        case: 'awsInstance',
        value: { accountId: ACCOUNT, region: REGION, instanceId: instanceId(n) },
      },
    },
    labels,
    observedAt: { seconds: 1_800_000_000n },
    ttl: { seconds: 5_400n },
  };
}

/** A good one of an operator. */
export function assigned(
  name: string,
  labels: Record<string, string> = { 'dynamic/team': 'core' },
): ServerInfoInit {
  return { name, match: { target: { case: 'serverId', value: 'server-1' } }, labels };
}

/** The name of the code that a call fails with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'no error',
    (error: unknown) => Code[ConnectError.from(error).code],
  );
}
