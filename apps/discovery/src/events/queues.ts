import { createQueue, createRoleCredentials } from '@tagplane/aws';
import type { EventQueue } from './config.ts';
import type { EventsParts } from './events.ts';

/** The queues of the configuration; their clients end with the stack. */
export function createEventQueues(
  configured: readonly EventQueue[],
  stack: DisposableStack,
): EventsParts['queues'] {
  return configured.map(({ queue: url, region, assume_role: role, pollers }) => {
    if (role === undefined) return { queue: stack.use(createQueue({ url, region })), pollers };
    const last = { roleArn: role.role_arn, externalId: role.external_id, sessionName: role.session_name };
    const chain = [...role.chain.map((roleArn) => ({ roleArn })), last];
    const credentials = stack.use(createRoleCredentials({ chain, region })).provider;
    return { queue: stack.use(createQueue({ url, region, credentials })), pollers };
  });
}
