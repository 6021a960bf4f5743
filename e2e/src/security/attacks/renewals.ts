import { createClient } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { createKey, renewStatement, signStatement } from '@tagplane/credentials';
import { IdentityService } from '@tagplane/protocol';
import { connectClient } from '../attacker/client.ts';
import type { Target } from '../target/target.ts';

interface Request {
  readonly publicKey: Uint8Array;
  readonly possession: Uint8Array;
}

export function renewalAttacks(target: () => Target): void {
  const idOf = (name: string): string => `spiffe://${target().cluster}/agent/${name}`;

  /** Renews as the agent `renewer`, with a key and a signature of one's choice. */
  const renew = async (request: Request) => {
    const certificate = await target().issuer.certify({ role: 'agent', name: 'renewer' });
    const dial = target().dial({ certificate });
    using client = connectClient(dial);
    const service = createClient(IdentityService, client.transport);
    return { source: dial.source, outcome: await target().attempt(service.renewCertificate(request)) };
  };

  const signed = (id: string, key = createKey(), signer = key): Request => {
    const { publicKey } = key;
    const possession = signStatement(renewStatement({ id, publicKey }), signer.privateKey);
    return { publicKey, possession };
  };

  describe('a renewal', () => {
    it.each<[string, () => Request]>([
      ['for a key that the caller does not hold', () => signed(idOf('renewer'), createKey(), createKey())],
      ['with a proof that was made for another identity', () => signed(idOf('honest'))],
      ['for what is no key', () => ({ ...signed(idOf('renewer')), publicKey: Buffer.alloc(91, 0x30) })],
    ])('%s is refused', async (_what, choose) => {
      const { source, outcome } = await renew(choose());
      expect(['InvalidArgument', 'PermissionDenied']).toContain(outcome.code);
      await target().audit.expect({ code: 'certificate.refused', source, actor: 'agent/renewer' });
    });

    it('that is as it should be is given', async () => {
      const { source, outcome } = await renew(signed(idOf('renewer')));
      expect(outcome).toEqual({ code: 'ok', message: '' });
      await target().audit.expect({ code: 'certificate.renewed', source, actor: 'agent/renewer' });
    });
  });
}
