import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createKey, joinStatement, provesPossession, renewStatement, signStatement } from './statements.ts';

describe('statements', () => {
  it('are the lines that the protocol names', () => {
    const publicKey = new Uint8Array([1, 2, 3]);
    const digest = createHash('sha256').update(publicKey).digest('hex');
    expect(joinStatement({ cluster: 'main', nonce: 'n', publicKey })).toBe(
      `tagplane-join-v1\nmain\nn\n${digest}`,
    );
    expect(renewStatement({ id: 'spiffe://main/agent/a', publicKey })).toBe(
      `tagplane-renew-v1\nspiffe://main/agent/a\n${digest}`,
    );
  });

  it('prove the possession of the key, of this statement only', () => {
    const key = createKey();
    const signature = signStatement('one', key.privateKey);
    expect(provesPossession('one', key.publicKey, signature)).toBe(true);
    expect(provesPossession('two', key.publicKey, signature)).toBe(false);
    expect(provesPossession('one', createKey().publicKey, signature)).toBe(false);
    expect(provesPossession('one', key.publicKey, signature.slice(1))).toBe(false);
  });

  it.each(['ed25519', 'rsa', 'P-384'])('are proven by no key of kind %s', (kind) => {
    const { privateKey, publicKey } =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
        : kind === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: kind });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const signature = sign(
      kind === 'ed25519' ? undefined : 'sha256',
      Buffer.from('one'),
      createPrivateKey(pem),
    );
    expect(provesPossession('one', spki, signature)).toBe(false);
  });

  it('are not proven by a key that is none', () => {
    expect(provesPossession('one', new Uint8Array(8), new Uint8Array(8))).toBe(false);
  });
});
