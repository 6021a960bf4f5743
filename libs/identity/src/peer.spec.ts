import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROLES, parsePeerClaim, peerText } from './peer.ts';

describe('parsePeerClaim', () => {
  it.each([
    ['agent/web-1', 'agent', 'web-1'],
    ['discovery/eu.prod', 'discovery', 'eu.prod'],
    ['operator/jane@example.com', 'operator', 'jane@example.com'],
    ['auth/7', 'auth', '7'],
    ['agent/constructor', 'agent', 'constructor'],
    [`agent/${'x'.repeat(128)}`, 'agent', 'x'.repeat(128)],
  ])('reads %s', (text, role, name) => {
    expect(parsePeerClaim(text)).toEqual({ role, name, proof: 'claimed' });
  });

  it.each([
    ...['', '/', 'agent', 'agent/', '/web-1', 'agents', 'agentx', 'operatorx', 'discovery1', 'Agent/web-1'],
    ...['root/web-1', 'agent/web/1', 'agent//web-1', 'agent/ web-1', 'agent /web-1', 'agent/web-1\n'],
    ...['agent/-web', 'agent/.web', 'agent/@', 'agent/ä', `agent/${'x'.repeat(129)}`, 'agent,operator/x'],
    ...['constructor/x', '__proto__/x', 'agent\n/x', ' agent/x'],
  ])('refuses %j', (text) => {
    expect(parsePeerClaim(text)).toBeUndefined();
  });

  it('reads what peerText writes, and takes nothing that it would not write', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,20}$/);
    fc.assert(
      fc.property(fc.constantFrom(...ROLES), name, (role, peer) => {
        const claim = { role, name: peer, proof: 'claimed' } as const;
        expect(parsePeerClaim(peerText(claim))).toEqual(claim);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const claim = parsePeerClaim(text);
        if (claim !== undefined) expect(peerText(claim)).toBe(text);
      }),
    );
  });
});
