import { describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { Role } from '@tagplane/protocol';
import { join } from '../attacker/join.ts';
import type { Challenge, JoinAttempt, Proof } from '../attacker/join.ts';
import { signStsRequest } from '../attacker/sts-request.ts';
import type { StsRequest } from '../attacker/sts-request.ts';
import type { StsMood } from '../attacker/stub-sts.ts';
import type { Target } from '../target/target.ts';

const WRONG_SECRET = 'not-the-secret-of-this-key-at-all-000000';

export function iamAttacks(target: () => Target): void {
  /** A proof that is good but for what is changed. */
  const sign = (challenge: Challenge, publicKey: Uint8Array, change: Partial<StsRequest> = {}): Proof => {
    const { host } = target().sts;
    const wanted = {
      host,
      region: 'eu-central-1',
      keys: target().parts.awsKeys,
      nonce: challenge.nonce,
      publicKey,
    };
    const headers = signStsRequest({ ...wanted, ...change });
    target().addSignature(headers['authorization'] ?? '');
    return { case: 'iam', value: { host: change.host ?? host, headers, region: 'eu-central-1' } };
  };

  const attempt = async (prove: JoinAttempt['prove'], wish: Partial<JoinAttempt> = {}) => {
    const dial = target().dial();
    const outcome = await target().attempt(join(dial, { role: Role.AGENT, prove, ...wish }));
    return { source: dial.source, outcome };
  };

  const expectRefused = async (tried: ReturnType<typeof attempt>, code: string, reason: RegExp) => {
    const { source, outcome } = await tried;
    expect(outcome).toMatchObject({ code });
    expect(outcome.message).toMatch(reason);
    await target().audit.expect({ code: 'join.refused', source, reason });
  };

  describe('a join by an AWS role', () => {
    it('that is good lets in', async () => {
      const { source, outcome } = await attempt((challenge, key) => sign(challenge, key.publicKey));
      expect(outcome).toEqual({ code: 'ok', message: '' });
      await target().audit.expect({ code: 'join.ok', source });
    });

    it("with a proof signed for another stream's nonce is refused, and STS is not asked", async () => {
      let proof: Proof | undefined;
      const key = createKey();
      await attempt(
        (challenge) => {
          proof = sign(challenge, key.publicKey);
          return proof;
        },
        { key },
      );
      const asked = target().sts.requests;
      // Once more, on a stream with a nonce of its own, for the same key.
      await expectRefused(
        attempt(() => proof ?? Promise.reject(new Error('nothing was overheard')), { key }),
        'PermissionDenied',
        /another challenge/,
      );
      expect(target().sts.requests).toBe(asked);
    });

    it('signed for another key is refused', async () => {
      const other = createKey();
      await expectRefused(
        attempt((challenge) => sign(challenge, other.publicKey)),
        'PermissionDenied',
        /another key/,
      );
    });

    it.each([
      ['another host', { host: 'sts.attacker.example' }],
      ['a host that only begins like one', { host: 'sts.amazonaws.com.attacker.example' }],
      ['a host with an account in it', { host: 'user@127.0.0.1' }],
      ['a host with a path in it', { host: 'sts.amazonaws.com/x' }],
    ])('signed for %s is refused, and nobody is asked', async (_what, change) => {
      const asked = target().sts.requests;
      await expectRefused(
        attempt((challenge, key) => sign(challenge, key.publicKey, change)),
        'PermissionDenied',
        /no STS|malformed/,
      );
      expect(target().sts.requests).toBe(asked);
    });

    it('with more signed headers than belong there is refused', async () => {
      const more = { 'x-amz-target': 'AWSSecurityTokenService.GetFederationToken' };
      await expectRefused(
        attempt((challenge, key) => sign(challenge, key.publicKey, { more })),
        'PermissionDenied',
        /does not belong/,
      );
    });

    it('with the nonce and the key added after the signature is refused', async () => {
      await expectRefused(
        attempt((challenge, key) => {
          const proof = sign({ ...challenge, nonce: 'another' }, key.publicKey);
          if (proof.case !== 'iam') throw new Error('not a proof of this kind');
          const headers = { ...proof.value.headers, 'x-tagplane-nonce': challenge.nonce };
          return { case: 'iam', value: { ...proof.value, headers } };
        }),
        'PermissionDenied',
        /STS refused/,
      );
    });

    it.each([
      ['with a wrong secret key', () => ({ ...target().parts.awsKeys, secretAccessKey: WRONG_SECRET })],
      ['with a key that AWS does not know', () => ({ ...target().parts.awsKeys, accessKeyId: 'ASIANOBODY' })],
      ['of a role that no rule names', () => target().parts.strangerKeys],
    ])('%s is refused', async (_what, keysOf) => {
      const keys = keysOf();
      await expectRefused(
        attempt((challenge, key) => sign(challenge, key.publicKey, { keys })),
        'PermissionDenied',
        /STS refused|no rule lets/,
      );
    });

    it('as an operator is refused, whatever the rule says of agents', async () => {
      await expectRefused(
        attempt((challenge, key) => sign(challenge, key.publicKey), { role: Role.OPERATOR, name: 'mallory' }),
        'PermissionDenied',
        /no rule|operator/,
      );
    });

    it.each<[StsMood, string, RegExp]>([
      ['forbidden', 'PermissionDenied', /STS refused the request: SignatureDoesNotMatch/],
      ['broken', 'Unavailable', /STS did not answer/],
      ['garbage', 'Unavailable', /STS did not answer/],
      ['elsewhere', 'Unavailable', /STS did not answer/],
      ['endless', 'Unavailable', /STS did not answer/],
      ['silent', 'Unavailable', /STS did not answer/],
    ])('while STS is %s is refused', async (mood, code, reason) => {
      const { sts } = target();
      sts.mood = mood;
      try {
        await expectRefused(
          attempt((challenge, key) => sign(challenge, key.publicKey)),
          code,
          reason,
        );
      } finally {
        sts.mood = 'honest';
      }
    });
  });
}
