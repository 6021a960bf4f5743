import { parseAccountId, parseInstanceId, parseRegion, parseServerId } from '@tagplane/identity';
import { labelProblem } from '@tagplane/labels';
import { durationField } from '@tagplane/runtime';
import { isAssignedName } from '@tagplane/serverinfo';
import type { Match, ServerInfoDraft } from '@tagplane/serverinfo';
import * as z from 'zod';
import { selectorField } from '../selectors/field.ts';
import { parsed } from './fields.ts';

const LABEL_PREFIX = 'dynamic/';

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
    selector: selectorField.optional(),
  })
  .transform((value, context): Match => {
    const { aws_instance: aws, server_id: serverId, selector } = value;
    const matches: Match[] = [];
    if (aws !== undefined) {
      const { account_id: account, region, instance_id } = aws;
      matches.push({ kind: 'aws-instance', instance: { account, region, instance: instance_id } });
    }
    if (serverId !== undefined) matches.push({ kind: 'server-id', serverId });
    if (selector !== undefined) matches.push({ kind: 'selector', selector });
    const [match, ...others] = matches;
    if (match !== undefined && others.length === 0) return match;
    context.addIssue({
      code: 'custom',
      message: 'expected exactly one of aws_instance, server_id and selector',
    });
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

/** RFC 3339 → Unix milliseconds. */
const time = parsed(
  (text) =>
    /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)) ? Date.parse(text) : undefined,
  'a time such as 2026-11-22T18:00:00Z',
);

const metadata = z.strictObject({
  name: z
    .string()
    .refine(
      isAssignedName,
      'expected 1 to 128 of letters, digits, ".", "_", "-", beginning with a letter or digit, and not with "aws-"',
    ),
  revision: z.int().nonnegative().optional(),
});

/**
 * One document: `kind: server_info`, its metadata and its spec.
 *
 * @param now Unix milliseconds
 */
export function serverInfoSchema(now: number): z.ZodType<ServerInfoDraft> {
  const spec = z
    .strictObject({
      match,
      labels,
      // The longest that the auth service takes.
      ttl: durationField({ min: '1s', max: '3650d' }).optional(),
      expires_at: time.optional(),
    })
    .check(({ value, issues }) => {
      const refuse = (message: string): void => {
        issues.push({ code: 'custom', message, path: ['expires_at'], input: value.expires_at });
      };
      if (value.expires_at === undefined) return;
      if (value.ttl !== undefined) refuse('give either ttl or expires_at');
      if (value.expires_at <= now) refuse('this time is past');
    });
  return z
    .strictObject({ kind: z.literal('server_info'), metadata, spec })
    .transform((document): ServerInfoDraft => {
      const { name, revision } = document.metadata;
      const { ttl, expires_at: end } = document.spec;
      return {
        name,
        match: document.spec.match,
        labels: document.spec.labels,
        observedAt: undefined,
        ttlMs: end === undefined ? ttl : end - now,
        ...(revision === undefined ? {} : { expectedRevision: revision }),
      };
    });
}
