import { parseAccountId, parseInstanceId, parseRegion, parseServerId } from '@tagplane/identity';
import { labelProblem } from '@tagplane/labels';
import { durationField } from '@tagplane/runtime';
import { isAssignedName } from '@tagplane/serverinfo';
import type { Match, ServerInfoDraft } from '@tagplane/serverinfo';
import * as z from 'zod';

const LABEL_PREFIX = 'dynamic/';

/** Text that `parse` turns into something. */
function parsed<Value>(parse: (text: string) => Value | undefined, expected: string) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });
}

const instance = z.strictObject({
  account_id: parsed(parseAccountId, 'twelve digits, in quotes'),
  region: parsed(parseRegion, 'a region such as eu-central-1'),
  instance_id: parsed(parseInstanceId, "'i-' and 8 or 17 hexadecimal digits"),
});

const match = z
  .strictObject({
    aws_instance: instance.optional(),
    server_id: parsed(
      parseServerId,
      '1 to 128 of letters, digits, ".", "_", "-", beginning with a letter or digit',
    ).optional(),
  })
  .transform((value, context): Match => {
    const { aws_instance: aws, server_id: serverId } = value;
    if (aws !== undefined && serverId === undefined) {
      const { account_id: account, region, instance_id } = aws;
      return { kind: 'aws-instance', instance: { account, region, instance: instance_id } };
    }
    if (serverId !== undefined && aws === undefined) return { kind: 'server-id', serverId };
    context.addIssue({ code: 'custom', message: 'expected exactly one of aws_instance and server_id' });
    return z.NEVER;
  });

const labels = z.map(z.string(), z.string()).check(({ value, issues }) => {
  for (const [key, text] of value) {
    const message = key.startsWith(LABEL_PREFIX)
      ? labelProblem(key, text)
      : `an operator's labels begin with ${LABEL_PREFIX}`;
    if (message !== undefined) issues.push({ code: 'custom', message, path: [key], input: text });
  }
});

/** One document: `kind: server_info`, its metadata and its spec. */
export const serverInfoSchema: z.ZodType<ServerInfoDraft> = z
  .strictObject({
    kind: z.literal('server_info'),
    metadata: z.strictObject({
      name: z
        .string()
        .refine(
          isAssignedName,
          'expected 1 to 128 of letters, digits, ".", "_", "-", beginning with a letter or digit, and not with "aws-"',
        ),
    }),
    spec: z.strictObject({
      match,
      labels,
      // The longest that the auth service takes.
      ttl: durationField({ min: '1s', max: '3650d' }).optional(),
    }),
  })
  .transform(({ metadata, spec }): ServerInfoDraft => ({
    name: metadata.name,
    match: spec.match,
    labels: spec.labels,
    observedAt: undefined,
    ttlMs: spec.ttl,
  }));
