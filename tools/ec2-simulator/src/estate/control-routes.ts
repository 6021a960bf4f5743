import { AwsError } from '../aws-error.ts';
import { readTags } from '../control-bodies.ts';
import type { ControlRoute } from '../extension.ts';
import type { AccountOptions, AccountStatus, SimAccount } from './account.ts';
import type { Estate } from './estate.ts';
import type { RoleOptions } from './role.ts';

type Body = Readonly<Record<string, unknown>>;

/** What the owner of the organisation does. */
export function estateRoutes(estate: Estate): ReadonlyMap<string, ControlRoute> {
  return new Map<string, ControlRoute>([
    ['GET estate', () => view(estate)],
    [
      'POST estate accounts',
      ({ body }) => accountJson(estate.join({ ...readAccount(body), id: text(body, 'id') })),
    ],
    [
      'PATCH estate accounts *',
      ({ parts, body }) => accountJson(estate.change(parts[2] ?? '', readAccount(body))),
    ],
    ['DELETE estate accounts *', ({ parts }) => accountJson(estate.leave(parts[2] ?? ''))],
    ['PUT estate roles', ({ body }) => estate.putRole(readRole(body))],
    [
      'DELETE estate roles',
      ({ query }) => {
        estate.removeRole(query.get('arn') ?? '');
        return {};
      },
    ],
  ]);
}

function view(estate: Estate): object {
  const { management, organised, accounts, roles } = estate;
  return { management, organised, accounts: accounts.map(accountJson), roles };
}

function accountJson({ tags, ...rest }: SimAccount): object {
  return { ...rest, tags: Object.fromEntries(tags) };
}

/** The members that are given. Throws AwsError. */
export function readAccount(body: Body): Omit<AccountOptions, 'id'> {
  const status = optionalText(body, 'status');
  if (status !== undefined && !isStatus(status)) {
    throw new AwsError('BadRequest', 'status: ACTIVE, SUSPENDED or PENDING_CLOSURE');
  }
  return Object.fromEntries(
    Object.entries({
      name: optionalText(body, 'name'),
      status,
      ou: optionalText(body, 'ou'),
      tags: body['tags'] === undefined ? undefined : readTags(body['tags'], 'tags'),
      regions: body['regions'] === undefined ? undefined : texts(body, 'regions'),
    }).filter(([, value]) => value !== undefined),
  );
}

export function readRole(body: Body): RoleOptions {
  const { max_duration: maxDuration } = body;
  if (maxDuration !== undefined && typeof maxDuration !== 'number') {
    throw new AwsError('BadRequest', 'max_duration: seconds');
  }
  return {
    arn: text(body, 'arn'),
    trusts: texts(body, 'trusts'),
    externalId: optionalText(body, 'external_id'),
    ...(maxDuration === undefined ? {} : { maxDuration }),
    ...(body['actions'] === undefined ? {} : { actions: texts(body, 'actions') }),
  };
}

function isStatus(status: string): status is AccountStatus {
  return ['ACTIVE', 'SUSPENDED', 'PENDING_CLOSURE'].includes(status);
}

export function text(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === 'string') return value;
  throw new AwsError('BadRequest', `${name}: a text`);
}

function optionalText(body: Body, name: string): string | undefined {
  return body[name] === undefined ? undefined : text(body, name);
}

function texts(body: Body, name: string): string[] {
  const value = body[name];
  if (!Array.isArray(value)) throw new AwsError('BadRequest', `${name}: a list of texts`);
  return value.map((entry: unknown) => text({ [name]: entry }, name));
}
