import {
  pinSourceOf,
  pinsProblem,
  tokenJoinFields,
  tokenJoinProblem,
  tokenSourceOf,
} from '@tagplane/credentials';
import type { TokenJoinConfig } from '@tagplane/credentials';
import { parseRegion } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';
import * as z from 'zod';
import { parsedField } from '../config-fields.ts';
import type { JoinBy, JoinSettings } from './settings.ts';

/** `join` in `agent.yaml`. */
export interface JoinConfig extends TokenJoinConfig {
  readonly method: 'token' | 'iam' | 'ec2';
  readonly iam: {
    readonly credentials: 'auto' | 'instance' | 'chain';
    readonly region?: Region | undefined;
  };
}

export const joinField: z.ZodType<JoinConfig> = z
  .strictObject({
    method: z
      .enum(['token', 'iam', 'ec2'])
      .default('token')
      .describe('token; iam: as an AWS role; ec2: by the identity document of the instance.'),
    ...tokenJoinFields,
    iam: z
      .strictObject({
        credentials: z
          .enum(['auto', 'instance', 'chain'])
          .default('auto')
          .describe(
            'Which AWS credentials: instance, the role every instance has; chain, where AWS tools look; auto, the first of these.',
          ),
        region: parsedField(parseRegion, 'expected a region such as eu-central-1')
          .optional()
          .describe('Of STS; otherwise where the instance is.'),
      })
      .prefault({}),
  })
  .superRefine((join, context) => {
    const problem = problemOf(join);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', path: [problem.key], message: problem.message });
    }
  });

export function joinSettings(join: JoinConfig): JoinSettings {
  return { by: joinBy(join), ...pinSourceOf(join) };
}

function joinBy(join: JoinConfig): JoinBy {
  if (join.method === 'ec2') return { method: 'ec2' };
  if (join.method === 'iam') {
    return { method: 'iam', credentials: join.iam.credentials, region: join.iam.region };
  }
  const source = tokenSourceOf(join);
  // The schema asks for one.
  if (source === undefined) throw new TypeError('no token');
  return { method: 'token', ...source };
}

function problemOf(join: JoinConfig) {
  if (join.method === 'token') return tokenJoinProblem(join);
  if (tokenSourceOf(join) === undefined) return pinsProblem(join);
  const key = join.token === undefined ? ('token_file' as const) : ('token' as const);
  return { key, message: `there is none with the method ${join.method}` };
}
