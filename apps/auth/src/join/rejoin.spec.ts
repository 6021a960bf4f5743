import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Role } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import { createDocumentSigner } from '../testing/aws-documents.ts';
import type { DocumentSigner } from '../testing/aws-documents.ts';
import { tryJoin } from '../testing/join-tries.ts';
import { instanceId } from '../testing/samples.ts';
import { TestJoin } from '../testing/test-join.ts';
import type { MethodInit } from '../testing/test-join.ts';
import { joinField } from './config.ts';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const INSTANCE = { accountId: ACCOUNT, region: REGION, instanceId: instanceId(1) };

describe('joining again after a lost disk', () => {
  let aws: DocumentSigner;
  let folder: string;
  let joining: TestJoin;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rejoin-'));
    aws = await createDocumentSigner({
      notBefore: new Date('2026-01-01'),
      notAfter: new Date('2030-01-01'),
    });
    writeFileSync(join(folder, 'aws.pem'), aws.certificate);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    const certificates = { [REGION]: join(folder, 'aws.pem') };
    const { ec2 } = joinField.parse({ ec2: { allow: [{ account: ACCOUNT }], certificates } });
    joining = new TestJoin({ config: { ec2, iam: undefined } });
  });
  afterEach(() => joining[Symbol.asyncDispose]());

  async function token(uses: number): Promise<MethodInit> {
    const { secretToken } = await joining.tokens.addToken({ role: Role.AGENT, awsInstance: INSTANCE, uses });
    return { case: 'token', value: { token: secretToken } };
  }

  function document(by: 'rsa' | 'pkcs7', startedAt = joining.now): MethodInit {
    const pendingTime = new Date(startedAt).toISOString();
    const { accountId, region, instanceId: id } = INSTANCE;
    const bytes = Buffer.from(JSON.stringify({ accountId, region, instanceId: id, pendingTime }));
    const signature = { case: by, value: aws[by](bytes) } as const;
    return { case: 'ec2', value: by === 'rsa' ? { document: bytes, signature } : { signature } };
  }

  it('gives the same server id by a token of the instance, while it has uses', async () => {
    const method = await token(2);
    const first = await tryJoin(joining, { method });
    expect(first).toContain(`on ${REGION}/${INSTANCE.instanceId}`);
    expect(await tryJoin(joining, { method })).toBe(first);
    expect(await tryJoin(joining, { method })).toBe('PermissionDenied: the token is used up');
    expect(await tryJoin(joining, { method: await token(1) })).toBe(first);
  });

  it.each(['rsa', 'pkcs7'] as const)('needs a reset by the identity document (%s)', async (by) => {
    const first = await tryJoin(joining, { method: document(by), from: '192.0.2.1', name: 'web-1' });
    expect(first).toBe(`spiffe://test/agent/web-1 on ${REGION}/${INSTANCE.instanceId}`);
    joining.now += MINUTE;
    const refused = 'PermissionDenied: the instance has joined before: an operator may reset that';
    expect(await tryJoin(joining, { method: document(by), from: '203.0.113.9' })).toBe(refused);
    expect(joining.audit.of('join.refused')).toMatchObject([
      {
        remoteAddress: '203.0.113.9',
        details: {
          method: 'ec2',
          first_address: '192.0.2.1',
          instance: `${ACCOUNT}/${REGION}/${INSTANCE.instanceId}`,
        },
      },
    ]);
    await joining.records.resetJoin({ subject: { case: 'instance', value: INSTANCE } });
    expect(await tryJoin(joining, { method: document(by), name: 'web-1' })).toBe(first);
  });

  it('gives the server id back by a token to an instance that came by its document', async () => {
    const first = await tryJoin(joining, { method: document('rsa') });
    expect(await tryJoin(joining, { method: await token(1) })).toBe(first);
  });

  it('counts a join by the document only when a certificate came of it', async () => {
    joining.authority.failures.push(new Error('no authority'));
    expect(await tryJoin(joining, { method: document('rsa') })).toBe('Internal: internal error');
    expect(await tryJoin(joining, { method: document('rsa'), name: 'web-1' })).toContain('agent/web-1 on');
    expect(await tryJoin(joining, { method: document('rsa') })).toContain('has joined before');
  });

  it('refuses a document that was stolen and comes late', async () => {
    const stolen = document('rsa');
    joining.now += 16 * MINUTE;
    expect(await tryJoin(joining, { method: stolen })).toContain('the instance was started too long ago');
  });
});
