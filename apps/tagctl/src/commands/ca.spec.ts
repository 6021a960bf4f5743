import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { CaPhase, CaStep } from '@tagplane/protocol';
import { NOW, run, testIo } from '../testing/capture.ts';
import { runTagctl } from '../run.ts';
import { eventually } from '../testing/eventually.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets on a busy machine, and waits of a second each.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);
const ALL_STEPS = [CaStep.TRUST, CaStep.SIGN, CaStep.DROP].map((step) => ({ step, force: false }));

describe('ca status', () => {
  it('tells people where it stands, who follows and what is next', async () => {
    auth.ca.phase = CaPhase.SIGNING;
    auth.ca.oldCertificatesUntil = NOW + 3_600_000;
    auth.ca.waitingFor = ['spiffe://test/agent/\u001b[2J'];
    auth.ca.blocked = ['1 peer has not renewed'];
    const { code, stdout } = await tagctl('ca', 'status');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'cluster           test',
        'phase             SIGNING, since 1m ago',
        'trust             generation 7',
        `authorities       sha256:${'a'.repeat(64)} signs, expires in 10d`,
        `                  sha256:${'b'.repeat(64)} is trusted, expires in 10d`,
        'auth              auth-1: of 25 peers 24 trust all authorities, 3 have renewed',
        'waiting for       spiffe://test/agent/\\u001b[2J',
        'old certificates  end in 1h',
        'blocked           1 peer has not renewed',
        "next              drop: the old authority is trusted no more, when its last certificate ends in 1h, once nothing is in the way; 'tagctl ca rotate' goes on",
        '',
      ].join('\n'),
    );
  });

  it('is one document', async () => {
    const { stdout } = await tagctl('ca', 'status', '--format', 'json');
    expect(JSON.parse(stdout)).toStrictEqual({
      cluster: 'test',
      phase: 'STABLE',
      phase_since: '2026-11-22T11:59:00.000Z',
      generation: 7,
      authorities: [
        { pin: `sha256:${'a'.repeat(64)}`, signing: true, expires_at: '2026-12-02T12:00:00.000Z' },
      ],
      followers: [
        { auth_id: 'auth-1', following: true, peers: 25, trusting: 25, renewed: 3, waiting_for: [] },
      ],
      old_certificates_until: null,
      blocked: null,
    });
  });
});

describe('ca rotate', () => {
  it('goes through all phases, waits for who does not follow, and says so', async () => {
    auth.ca.blocked = ['', '1 of 25 peers does not trust it yet', '1 of 25 peers does not trust it yet'];
    const { code, stdout, stderr } = await tagctl('ca', 'rotate', '--format', 'json');
    expect(code).toBe(0);
    expect(auth.ca.steps).toEqual(ALL_STEPS);
    expect(JSON.parse(stdout)).toMatchObject({ phase: 'STABLE' });
    expect(stderr.split('\n')).toEqual([
      'trust: making a new authority, trusted beside the old one',
      'TRUSTING: 1 of 25 peers does not trust it yet (spiffe://test/agent/web-1)',
      'sign: the new authority signs from now on',
      'drop: the old authority is trusted no more',
      '',
    ]);
  });

  it('takes one up where it stands', async () => {
    auth.ca.phase = CaPhase.SIGNING;
    expect(await tagctl('ca', 'rotate')).toMatchObject({ code: 0 });
    expect(auth.ca.steps).toEqual(ALL_STEPS.slice(2));
  });

  it('goes on when the auth service comes back, and when a step was refused at the last moment', async () => {
    const refused = new ConnectError('one more has just connected', Code.FailedPrecondition);
    auth.ca.failures = [new ConnectError('going away', Code.Unavailable), refused];
    const { code, stderr } = await tagctl('ca', 'rotate');
    expect(code).toBe(0);
    expect(auth.ca.steps).toEqual(ALL_STEPS);
    expect(stderr).toContain('going away; trying again\n');
  });

  it('gives up where trying again would not help', async () => {
    auth.ca.failures = [new ConnectError('the role agent may not', Code.PermissionDenied)];
    expect(await tagctl('ca', 'rotate')).toMatchObject({ code: 1, stdout: '' });
    expect(auth.ca.steps).toEqual([]);
  });

  it('waits for old certificates to end, and interrupted says how to go on', async () => {
    auth.ca.phase = CaPhase.SIGNING;
    auth.ca.oldCertificatesUntil = NOW + 3_600_000;
    const stop = new AbortController();
    const io = testIo({ signal: stop.signal });
    const ended = runTagctl(['ca', 'rotate', '--address', served.address], io);
    await eventually('it waits', () => io.stderr.text.includes('has not ended yet; --now'));
    stop.abort();
    expect(await ended).toBe(1);
    expect(io.stderr.text).toMatch(
      /\ntagctl: interrupted; the rotation stays where it is: 'tagctl ca rotate'/,
    );
    expect(auth.ca.steps).toEqual([]);
    expect(await tagctl('ca', 'rotate', '--now')).toMatchObject({ code: 0 });
    expect(auth.ca.steps).toEqual(ALL_STEPS.slice(2));
  });

  it.each([
    ['trust', CaPhase.STABLE, CaStep.TRUST],
    ['sign', CaPhase.TRUSTING, CaStep.SIGN],
    ['drop', CaPhase.SIGNING, CaStep.DROP],
    ['cancel', CaPhase.SIGNING, CaStep.CANCEL],
  ])('makes one step: %s', async (word, phase, step) => {
    auth.ca.phase = phase;
    const { code, stderr } = await tagctl('ca', 'rotate', '--phase', word, '--force');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(auth.ca.steps).toEqual([{ step, force: true }]);
  });

  it('says why a step is refused', async () => {
    const { code, stderr } = await tagctl('ca', 'rotate', '--phase', 'drop');
    expect(code).toBe(1);
    expect(stderr).toBe(`tagctl: ${served.address} refused the request: this is not the next step\n`);
  });
});
