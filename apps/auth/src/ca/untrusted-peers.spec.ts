import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RenewingPeer } from '../testing/test-ca.ts';
import { FakeConnection, identityOf } from '../testing/identities.ts';
import { UntrustedPeers, cutPeersOf } from './untrusted-peers.ts';

const [OLD, NEW] = ['sha256:old', 'sha256:new'];
const REASON = 'the authority of the certificate is trusted no more';

function peer(issuer: string): RenewingPeer {
  return new RenewingPeer({ ...identityOf('agent', 'web-1'), issuer });
}

describe('cutPeersOf', () => {
  it('cuts who has a certificate of these authorities, and nobody else', () => {
    const [old, fresh] = [peer(OLD), peer(NEW)];
    const nobody = new FakeConnection(undefined);
    expect(cutPeersOf(new Set([OLD]), [old, fresh, nobody])).toBe(1);
    expect([old.cuts, fresh.cuts, nobody.cuts]).toEqual([[REASON], [], []]);
  });
});

describe('UntrustedPeers', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives 30 s to renew, each time', async () => {
    const connections = [peer(OLD), peer(OLD), peer('sha256:back')];
    const cut: number[] = [];
    const untrusted = new UntrustedPeers();
    const stop = new AbortController();
    const run = untrusted.run(
      {
        connections: () => connections,
        trusts: (pin) => pin === 'sha256:back',
        onCut: (count) => cut.push(count),
      },
      stop.signal,
    );
    untrusted.dropped(new Set([OLD, 'sha256:back']));
    await jest.advanceTimersByTimeAsync(10_000);
    untrusted.dropped(new Set(['sha256:other']));
    connections.push(peer('sha256:other'));
    await jest.advanceTimersByTimeAsync(19_000);
    connections[0]?.renewed({ ...identityOf('agent', 'web-1'), issuer: NEW });
    expect(cut).toEqual([]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(connections.map(({ cuts }) => cuts.length)).toEqual([0, 1, 0, 0]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connections.map(({ cuts }) => cuts.length)).toEqual([0, 1, 0, 1]);
    expect(cut).toEqual([1, 1]);
    stop.abort();
    await expect(run).rejects.toBe(stop.signal.reason);
  });
});
