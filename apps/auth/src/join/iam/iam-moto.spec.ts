import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMoto } from '@tagplane/ec2/testing';
import type { Moto } from '@tagplane/ec2/testing';
import { tryIam } from '../../testing/join-tries.ts';
import { instanceId } from '../../testing/samples.ts';
import { ANY_KEYS } from '../../testing/signed-caller.ts';
import type { TestKeys } from '../../testing/signed-caller.ts';
import { TestJoin } from '../../testing/test-join.ts';
import { joinField } from '../config.ts';

/** moto's own account. */
const ACCOUNT = '123456789012';
const INSTANCE = instanceId(1);

describe('joining by an AWS role, by the STS of moto', () => {
  let moto: Moto;
  let joining: TestJoin;
  beforeAll(async () => {
    moto = await startMoto();
    const allow = [
      { account: ACCOUNT, role: 'aws:ec2-instance' },
      { account: ACCOUNT, role: 'web' },
    ];
    const { iam } = joinField.parse({ iam: { allow, sts_endpoint: moto.url } });
    joining = new TestJoin({ config: { iam, ec2: undefined } });
  });
  afterAll(async () => {
    await joining[Symbol.asyncDispose]();
    await moto.stop();
  });

  /** moto knows whose keys these are, for it made them. */
  async function assume(role: string, session: string): Promise<TestKeys> {
    const arn = `arn:aws:iam::${ACCOUNT}:role/${role}`;
    const body = new URLSearchParams({
      ...{ Action: 'AssumeRole', Version: '2011-06-15' },
      ...{ RoleArn: arn, RoleSessionName: session },
    });
    const authorization =
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0';
    const response = await fetch(moto.url, { method: 'POST', body, headers: { authorization } });
    const text = await response.text();
    const value = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? '';
    return {
      accessKeyId: value('AccessKeyId'),
      secretAccessKey: value('SecretAccessKey'),
      sessionToken: value('SessionToken'),
    };
  }

  it('lets a role in that a rule names', async () => {
    expect(await tryIam(joining, await assume('web', 'session'), { name: 'a' })).toBe(
      'spiffe://test/agent/a',
    );
    expect(joining.audit.of('join.ok')).toMatchObject([
      { details: { proof: `arn:aws:sts::${ACCOUNT}:assumed-role/web/session` } },
    ]);
  });

  it('proves an instance by its own role', async () => {
    expect(await tryIam(joining, await assume('aws:ec2-instance', INSTANCE), { name: 'b' })).toBe(
      `spiffe://test/agent/b on eu-central-1/${INSTANCE}`,
    );
  });

  it('lets nobody else of the account in', async () => {
    const refused = 'PermissionDenied: no rule lets this AWS role in';
    expect(await tryIam(joining, await assume('other', 'session'))).toBe(refused);
    expect(await tryIam(joining, ANY_KEYS)).toBe(refused);
  });
});
