import { describe, expect, it } from '@jest/globals';
import { HOUR, MINUTE, SECOND } from '@tagplane/runtime';
import type { CertificateWish, Issuer } from '../attacker/certificates.ts';
import { createForeignIssuer } from '../attacker/certificates.ts';
import { dialTls } from '../attacker/sockets.ts';
import type { Target } from '../target/target.ts';

const OPERATOR = { role: 'operator', name: 'mallory' } as const;

interface BadCertificate {
  readonly what: string;
  readonly wish: (now: number) => Partial<CertificateWish>;
  /** Default: the cluster's own, as if its key had been stolen. */
  readonly issuer?: (target: Target) => Promise<Issuer>;
  readonly reason: RegExp;
}

const BAD: readonly BadCertificate[] = [
  {
    what: 'of another CA',
    wish: () => ({}),
    issuer: () => createForeignIssuer('elsewhere'),
    reason: /not one of this cluster/,
  },
  {
    what: 'of another CA that calls itself by the name of this cluster',
    wish: () => ({}),
    issuer: (target) => createForeignIssuer(target.cluster),
    reason: /not one of this cluster/,
  },
  {
    what: 'of the right CA for another cluster',
    wish: () => ({ cluster: 'elsewhere' }),
    reason: /another cluster/,
  },
  {
    what: 'that has expired',
    wish: (now) => ({ validFrom: now - HOUR, validUntil: now - SECOND }),
    reason: /expired/,
  },
  {
    what: 'that is not valid yet',
    wish: (now) => ({ validFrom: now + MINUTE, validUntil: now + HOUR }),
    reason: /not valid yet/,
  },
];

export function certificateAttacks(target: () => Target): void {
  describe('connections', () => {
    it('without a certificate come to nothing', async () => {
      const { source, outcome } = await target().status({});
      expect(outcome).toMatchObject({ code: 'Unauthenticated' });
      await target().audit.expect({ code: 'call.refused', source, reason: /certificate/ });
    });

    it.each(BAD)('with a certificate $what come to nothing', async ({ wish, issuer, reason }) => {
      const by = issuer === undefined ? target().issuer : await issuer(target());
      const certificate = await by.certify({ ...OPERATOR, ...wish(Date.now()) });
      const { source, outcome } = await target().status({ certificate });
      expect(outcome.code).toBe('Unauthenticated');
      expect(outcome.message).toMatch(reason);
      await target().audit.expect({ code: 'connection.refused', source, reason });
    });

    it('with a certificate whose key the caller does not hold fail in the handshake', async () => {
      const { cert } = await target().issuer.certify(OPERATOR);
      const { key } = await target().issuer.certify(OPERATOR);
      const dial = target().dial();
      await expect(dialTls({ ...dial, certificate: { cert, key } })).rejects.toThrow(/key values mismatch/);
    });

    it.each([['TLSv1.2'], ['TLSv1.1']] as const)('over %s are refused', async (version) => {
      const certificate = await target().issuer.certify(OPERATOR);
      const tls = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
      const dial = target().dial({ certificate, tls });
      await expect(dialTls(dial)).rejects.toThrow(/protocol version|ECONNRESET|no protocols available/);
      await target().audit.expect({ code: 'connection.refused', source: dial.source });
    });

    it.each([
      ['without a certificate', undefined],
      ['with the certificate of an agent', { role: 'agent', name: 'header-agent' }],
    ] as const)('%s gain nothing by saying who they are in a header', async (_what, wish) => {
      const certificate = wish && (await target().issuer.certify(wish));
      const headers = { 'tagplane-peer': 'operator/root' };
      const { source, outcome } = await target().status({ ...(certificate && { certificate }) }, headers);
      expect(outcome.code).toBe(wish === undefined ? 'Unauthenticated' : 'PermissionDenied');
      const event = await target().audit.expect({ code: 'call.refused', source });
      expect(event.actor).toBe(wish === undefined ? '' : 'agent/header-agent');
    });
  });
}
