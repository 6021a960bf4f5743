import { AwsError } from '../aws-error.ts';
import type { StsControl, StsCredentials } from './sts-control.ts';

type Body = Readonly<Record<string, unknown>>;

/** `POST sts/credentials`: makes credentials of an identity known. Throws AwsError. */
export function registerCredentials(body: Body, sts: StsControl): object {
  const credentials = sts.register({
    account: text(body, 'account') ?? '',
    arn: text(body, 'arn') ?? required('arn'),
    userId: text(body, 'user_id') ?? 'AIDASIMULATED',
    ...optional('accessKeyId', text(body, 'access_key_id')),
    ...optional('secretAccessKey', text(body, 'secret_access_key')),
    ...optional('sessionToken', text(body, 'session_token')),
    ttlMs: milliseconds(body),
  });
  return credentialsJson(credentials);
}

/** As instance metadata shows them. */
export function credentialsJson(credentials: StsCredentials): object {
  const { accessKeyId, secretAccessKey, sessionToken, arn } = credentials;
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken ?? null,
    Arn: arn,
  };
}

/** `ttl_ms`: less than zero is over already. */
export function milliseconds(body: Body): number | undefined {
  const value = body['ttl_ms'];
  if (value === undefined || typeof value === 'number') return value;
  throw new AwsError('BadRequest', 'ttl_ms: a number');
}

function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new AwsError('BadRequest', `${name}: a text`);
}

function optional<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, string>);
}

function required(name: string): never {
  throw new AwsError('BadRequest', `${name}: required`);
}
