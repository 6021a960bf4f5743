import { describe, expect, it } from '@jest/globals';
import { Role } from '@tagplane/protocol';
import { HOUR } from '@tagplane/runtime';
import { identityDocument } from '../attacker/identity-document.ts';
import { join } from '../attacker/join.ts';
import type { Proof } from '../attacker/join.ts';
import { someInstance } from '../target/samples.ts';
import type { Target } from '../target/target.ts';

const KINDS = ['rsa', 'pkcs7'] as const;
type Kind = (typeof KINDS)[number];

export function ec2Attacks(target: () => Target): void {
  const prove = async (kind: Kind, signed: string, shown = signed): Promise<Proof> => {
    const { secrets } = target();
    const { documents } = target().parts;
    if (kind === 'rsa') {
      const rsa = secrets.add('a document signature', documents.rsa(signed));
      return { case: 'ec2', value: { document: Buffer.from(shown), signature: { case: 'rsa', value: rsa } } };
    }
    const pkcs7 = Buffer.from(await documents.pkcs7(signed), 'base64');
    // The structure holds the document as it is: what is shown stands there instead of what was signed.
    const altered = replaced(pkcs7, Buffer.from(signed), Buffer.from(shown)).toString('base64');
    secrets.add('a document signature', altered.slice(-200));
    return { case: 'ec2', value: { signature: { case: 'pkcs7', value: altered } } };
  };

  const attempt = async (proof: Proof, role: Role = Role.AGENT, dial = target().dial()) => {
    const name = role === Role.AGENT ? {} : { name: 'mallory' };
    const outcome = await target().attempt(join(dial, { role, ...name, prove: () => proof }));
    return { source: dial.source, outcome };
  };

  const expectRefused = async (tried: ReturnType<typeof attempt>, reason: RegExp) => {
    const { source, outcome } = await tried;
    expect(outcome.code).toBe('PermissionDenied');
    expect(outcome.message).toMatch(reason);
    await target().audit.expect({ code: 'join.refused', source, reason });
  };

  describe.each(KINDS)('a join by an identity document with its %s signature', (kind) => {
    const fresh = (): string => identityDocument(someInstance(), new Date());

    it('lets its instance in once, also when it is replayed from another address', async () => {
      const document = fresh();
      const first = await attempt(await prove(kind, document));
      expect(first.outcome).toEqual({ code: 'ok', message: '' });
      await target().audit.expect({ code: 'join.ok', source: first.source });
      const second = attempt(await prove(kind, document));
      expect((await second).source).not.toBe(first.source);
      await expectRefused(second, /already|once|joined|reset/);
    });

    it('is refused when the document was altered', async () => {
      const document = fresh();
      const altered = document.replace(/i-0/, 'i-1');
      expect(altered).not.toBe(document);
      await expectRefused(attempt(await prove(kind, document, altered)), /not signed by AWS|malformed/);
    });

    it('is refused when the instance was started long ago, or tomorrow', async () => {
      for (const [days, reason] of [
        [-2, /too long ago/],
        [1, /future/],
      ] as const) {
        const document = identityDocument(someInstance(), new Date(Date.now() + days * 24 * HOUR));
        await expectRefused(attempt(await prove(kind, document)), reason);
      }
    });

    it('is refused for an account or a region that no rule names', async () => {
      const other = { ...someInstance(), account: '999999999999' };
      const document = identityDocument(other as ReturnType<typeof someInstance>, new Date());
      await expectRefused(attempt(await prove(kind, document)), /no rule/);
      const region = { ...someInstance(), region: 'us-west-2' };
      const elsewhere = identityDocument(region as ReturnType<typeof someInstance>, new Date());
      await expectRefused(attempt(await prove(kind, elsewhere)), /certificate of AWS|no rule/);
    });

    it('is refused as anything but an agent', async () => {
      await expectRefused(attempt(await prove(kind, fresh()), Role.OPERATOR), /agent only/);
    });

    it('is refused when somebody else signed', async () => {
      const document = fresh();
      const { documents, otherDocuments: theirs } = target().parts;
      const value = kind === 'rsa' ? theirs.rsa(document) : await theirs.pkcs7(document);
      expect(value).not.toBe(kind === 'rsa' ? documents.rsa(document) : '');
      const signature = { case: kind, value } as const;
      const proof = { case: 'ec2', value: { document: Buffer.from(document), signature } } as const;
      await expectRefused(attempt(proof), /not signed by AWS|malformed/);
    });
  });

  it('a PKCS#7 structure with a signature over no attributes is refused', async () => {
    const document = identityDocument(someInstance(), new Date());
    const value = await target().parts.documents.pkcs7(document, { attributes: false });
    const signature = { case: 'pkcs7', value } as const;
    await expectRefused(attempt({ case: 'ec2', value: { signature } }), /malformed/);
  });

  it.each([
    ['noise', Buffer.alloc(2_000, 0x5a)],
    ['nested beyond reason', Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.of(0x30, 0x80)))],
    ['a length beyond its end', Buffer.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x06)],
  ])('a PKCS#7 structure that is %s is refused', async (_what, bytes) => {
    const signature = { case: 'pkcs7', value: bytes.toString('base64') } as const;
    await expectRefused(attempt({ case: 'ec2', value: { signature } }), /malformed/);
  });
}

function replaced(bytes: Buffer, what: Buffer, by: Buffer): Buffer {
  const at = bytes.indexOf(what);
  if (at < 0 || what.length !== by.length) throw new Error('the structure does not hold the document');
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + what.length)]);
}
