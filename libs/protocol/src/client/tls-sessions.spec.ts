import { describe, expect, it } from '@jest/globals';
import { TlsSessions } from './tls-sessions.ts';

const scope = { address: '10.0.0.1:7420', fingerprint: 'a', generation: 1 };
const kept = { session: Buffer.from('secret'), until: 1_000 };

describe('TlsSessions', () => {
  it('keeps the newest of an address', () => {
    const sessions = new TlsSessions();
    sessions.put(scope, { ...kept, session: Buffer.from('old') });
    sessions.put(scope, kept);
    expect(sessions.get(scope, 0)?.session).toEqual(kept.session);
    expect(sessions.get(scope, 0)?.session).toEqual(kept.session);
    expect(sessions.get({ ...scope, address: '10.0.0.2:7420' }, 0)).toBeUndefined();
  });

  it.each([
    ['another certificate', { fingerprint: 'b' }, 0],
    ['another trust bundle', { generation: 2 }, 0],
    ['a certificate of the server that has ended', {}, 1_000],
  ])('forgets it with %s', (_what, change, now) => {
    const sessions = new TlsSessions();
    sessions.put(scope, kept);
    expect(sessions.get({ ...scope, ...change }, now)).toBeUndefined();
    expect(sessions.get(scope, 0)).toBeUndefined();
  });

  it('keeps those of sixteen addresses', () => {
    const sessions = new TlsSessions();
    const scopes = Array.from({ length: 17 }, (_, index) => ({ ...scope, address: `10.0.0.${index}:1` }));
    for (const each of scopes) sessions.put(each, kept);
    const found = scopes.map((each) => sessions.get(each, 0) !== undefined);
    expect(found).toEqual(scopes.map((_, index) => index > 0));
  });
});
