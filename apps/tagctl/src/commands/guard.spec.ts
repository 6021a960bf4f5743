import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleHold } from '../testing/fake-guard.ts';
import { sampleServerInfo } from '../testing/samples.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  auth.guard.holds = [sampleHold('h1')];
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

const HOLD = {
  id: 'h1',
  scope: 'dynamic/',
  state: 'HELD',
  description: 'remove 1 ServerInfo',
  nodes_changed: 30,
  nodes_total: 100,
  nodes_changed_before: 5,
  samples: ['web-tier'],
  requested_by: 'operator/bob',
  held_at: '2026-11-22T11:59:00.000Z',
  decided_by: null,
  decided_at: null,
};

describe('guard', () => {
  it('lists what is held', async () => {
    expect(JSON.parse((await tagctl('guard', 'ls', '--format', 'json')).stdout)).toStrictEqual([HOLD]);
    expect((await tagctl('guard', 'ls')).stdout).toMatch(
      /\nh1 +HELD +dynamic\/ +30 of 100, 5 before +1m ago +operator\/bob +- +remove 1 ServerInfo\n$/,
    );
    auth.guard.holds = [];
    expect(await tagctl('guard', 'ls')).toMatchObject({ code: 0, stderr: 'no holds\n' });
  });

  it.each([
    ['release', 'RELEASED', 'released'],
    ['drop', 'DROPPED', 'dropped'],
  ])('%ss a hold', async (command, state, word) => {
    const decided = { ...HOLD, state, decided_by: 'operator/tester', decided_at: '2026-11-22T12:00:00.000Z' };
    expect(await tagctl('guard', command, 'h1')).toEqual({
      code: 0,
      stdout: `hold h1 ${word}: remove 1 ServerInfo\n`,
      stderr: '',
    });
    const json = await tagctl('guard', command, 'h1', '--format', 'json');
    expect(JSON.parse(json.stdout)).toStrictEqual(decided);
    expect(await tagctl('guard', command, 'h2')).toMatchObject({
      code: 1,
      stderr: "tagctl: no hold 'h2'; 'tagctl guard ls' lists them\n",
    });
  });

  it('keeps what server-infos rm would take away, and says so', async () => {
    auth.serverInfos.set('web', sampleServerInfo('web'));
    auth.holdId = 'h9';
    expect(await tagctl('server-infos', 'rm', 'web')).toEqual({
      code: 4,
      stdout: '',
      stderr: 'tagctl: held: it would change too many nodes; to let it go on: tagctl guard release h9\n',
    });
    const json = await tagctl('server-infos', 'rm', 'web', '--format', 'json');
    expect([json.code, JSON.parse(json.stdout)]).toEqual([4, { deleted: [], missing: [], holds: ['h9'] }]);
    expect([...auth.serverInfos.keys()]).toEqual(['web']);
  });
});
