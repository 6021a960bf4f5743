import { parseRegion } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';
import { z } from 'zod';
import { externalIdField, roleArnField, sessionNameField } from '../estate/fields.ts';

/** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, also of other partitions and VPC endpoints. */
const REGION_IN_URL = /^sqs\.([a-z0-9-]+)\.(?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?$/;

const queueSchema = z
  .strictObject({
    queue: z.url({ protocol: /^https?$/, error: 'expected the URL of a queue' }),
    region: z.string().optional(),
    assume_role: z
      .strictObject({
        role_arn: roleArnField,
        external_id: externalIdField.optional(),
        session_name: sessionNameField.optional(),
        chain: z.array(roleArnField).max(8).default([]),
      })
      .optional(),
    pollers: z.int().min(1).max(3).default(2),
  })
  .transform(({ region: named, ...queue }, context) => {
    const region = parseRegion(named ?? regionOfUrl(queue.queue) ?? '');
    if (region !== undefined) return { ...queue, region };
    const message =
      named === undefined ? 'the URL does not tell: expected the region of the queue' : 'expected a region';
    context.addIssue({ code: 'custom', path: ['region'], message });
    return z.NEVER;
  });

/** One entry of `events:`. */
export type EventQueue = z.output<typeof queueSchema> & { readonly region: Region };

/** The key of discovery.yaml for events. */
export const eventFields = {
  events: z
    .array(queueSchema)
    .max(20, 'expected at most 20 queues')
    .default([])
    .describe(
      'SQS queues that EventBridge sends instances’ changes to ([{queue: URL, region?, assume_role?, pollers?}]); without one, changes show with the next scan.',
    ),
};

function regionOfUrl(url: string): string | undefined {
  return REGION_IN_URL.exec(new URL(url).hostname)?.[1];
}
