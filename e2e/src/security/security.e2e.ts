import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { agentAttacks } from './attacks/agents.ts';
import { certificateAttacks } from './attacks/certificates.ts';
import { clockAttacks } from './attacks/clocks.ts';
import { floodAttacks } from './attacks/floods.ts';
import { idleAttacks } from './attacks/idle-connections.ts';
import { ec2Attacks } from './attacks/join-ec2.ts';
import { iamAttacks } from './attacks/join-iam.ts';
import { tokenAttacks } from './attacks/join-token.ts';
import { labelAttacks } from './attacks/labels.ts';
import { lockAttacks } from './attacks/locks.ts';
import { messageAttacks } from './attacks/messages.ts';
import { renewalAttacks } from './attacks/renewals.ts';
import { roleAttacks } from './attacks/roles.ts';
import { slowAttacks, startSlowAttacks } from './attacks/slow.ts';
import { checkMemory, warmUp } from './target/memory.ts';
import type { Memory } from './target/memory.ts';
import { startTarget } from './target/start-target.ts';
import type { Target } from './target/target.ts';
import { everythingSaid, expectUnharmed } from './target/unharmed.ts';

const START_MS = 120_000;

describe('a running auth service under attack', () => {
  let target: Target;
  let warm: Memory;
  let slow: Awaited<ReturnType<typeof startSlowAttacks>>;

  beforeAll(async () => {
    target = await startTarget();
    warm = await warmUp(target);
    slow = await startSlowAttacks(target);
  }, START_MS);

  afterAll(async () => {
    await target[Symbol.asyncDispose]();
  }, START_MS);

  afterEach(async () => {
    await expectUnharmed(target);
  });

  const attacked = (): Target => target;
  certificateAttacks(attacked);
  roleAttacks(attacked);
  agentAttacks(attacked);
  labelAttacks(attacked);
  iamAttacks(attacked);
  ec2Attacks(attacked);
  renewalAttacks(attacked);
  lockAttacks(attacked);
  messageAttacks(attacked);
  floodAttacks(attacked);
  idleAttacks(attacked);
  clockAttacks(attacked);
  tokenAttacks(attacked);
  slowAttacks(attacked, () => slow);

  it('has not grown', async () => {
    await checkMemory(target, warm);
  }, 120_000);

  it('has told nobody a secret', async () => {
    const { secrets } = target;
    expect(secrets.size).toBeGreaterThan(20);
    for (const [where, text] of await everythingSaid(target)) {
      expect([where, text === '', secrets.foundIn(text)]).toEqual([where, false, []]);
    }
  });
});
