import { describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { instanceKeyText } from '@tagplane/identity';
import { Role } from '@tagplane/protocol';
import { join } from '../attacker/join.ts';
import type { JoinAttempt } from '../attacker/join.ts';
import { someInstance } from '../target/samples.ts';
import type { Target } from '../target/target.ts';

export function tokenAttacks(target: () => Target): void {
  const attempt = async (token: string, wish: Partial<JoinAttempt> = {}) => {
    const dial = target().dial();
    const prove = () => ({ case: 'token', value: { token } }) as const;
    const outcome = await target().attempt(join(dial, { role: Role.AGENT, prove, ...wish }));
    return { source: dial.source, outcome };
  };

  const expectRefused = async (tried: ReturnType<typeof attempt>, reason: RegExp): Promise<void> => {
    const { source, outcome } = await tried;
    expect(outcome.code).toBe('PermissionDenied');
    expect(outcome.message).toMatch(reason);
    await target().audit.expect({ code: 'join.refused', source, reason });
  };

  describe('a join by token', () => {
    it('with a token that was used is refused', async () => {
      const token = await target().addToken({ role: Role.AGENT });
      const first = await attempt(token);
      expect(first.outcome.code).toBe('ok');
      await target().audit.expect({ code: 'join.ok', source: first.source });
      await expectRefused(attempt(token), /used up|not known/);
    });

    it('with one token by many at once lets in just one', async () => {
      const token = await target().addToken({ role: Role.AGENT });
      const tried = await Promise.all(Array.from({ length: 20 }, () => attempt(token)));
      expect(tried.filter(({ outcome }) => outcome.code === 'ok')).toHaveLength(1);
    });

    it.each([
      [Role.DISCOVERY, 'scanner'],
      [Role.OPERATOR, 'mallory'],
    ])("with an agent's token as another role is refused: %i", async (role, name) => {
      const token = await target().addToken({ role: Role.AGENT });
      await expectRefused(attempt(token, { role, name }), /another role/);
      // A failed attempt does not use it up.
      expect((await attempt(token)).outcome.code).toBe('ok');
    });

    it('as an auth service is refused before anything else', async () => {
      const token = await target().addToken({ role: Role.AGENT });
      const { source, outcome } = await attempt(token, { role: Role.AUTH, name: 'auth-9' });
      expect(['PermissionDenied', 'InvalidArgument']).toContain(outcome.code);
      await target().audit.expect({ code: 'join.refused', source });
    });

    it('with a token for one name under another is refused', async () => {
      const token = await target().addToken({ role: Role.AGENT, name: 'web-1' });
      await expectRefused(attempt(token, { name: 'web-2' }), /another name/);
    });

    it('under a name that is in use is refused', async () => {
      const token = await target().addToken({ role: Role.AGENT });
      await expectRefused(attempt(token, { name: target().honest.serverId }), /in use|taken|name/);
    });

    it('with the token of an instance yields a certificate for just that one', async () => {
      const instance = someInstance();
      const token = await target().addToken({ role: Role.AGENT, instance });
      const prove = () => ({ case: 'token', value: { token } }) as const;
      const dial = target().dial();
      const { issued } = await join(dial, { role: Role.AGENT, prove });
      expect(issued.awsInstance?.instanceId).toBe(instance.instance);
      const event = await target().audit.expect({ code: 'join.ok', source: dial.source });
      expect(JSON.stringify(event.details) + JSON.stringify(event.subjects)).toContain(
        instanceKeyText(instance),
      );
    });

    it.each([
      ['garbage', () => 'open sesame, says the thief'],
      ['another secret', (token: string) => `${token.slice(0, -5)}AAAAA`],
      ['a token cut short', (token: string) => token.slice(0, -1)],
      ['200 characters of noise', () => 'x'.repeat(200)],
    ])('with %s is refused', async (_what, forge) => {
      const token = await target().addToken({ role: Role.AGENT });
      const forged = target().secrets.add('a forged token', forge(token));
      await expectRefused(attempt(forged), /not known/);
    });

    it('with a token whose time is up is refused', async () => {
      // Made when the suite began; the shortest life there is takes a minute.
      const token = await target().expiredToken();
      await expectRefused(attempt(token), /expired|not known/);
    });

    it('for a key that the caller does not hold is refused', async () => {
      const token = await target().addToken({ role: Role.AGENT });
      await expectRefused(attempt(token, { signer: createKey() }), /key|possession/);
    });
  });
}
