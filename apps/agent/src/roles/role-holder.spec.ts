import { describe, expect, it } from '@jest/globals';
import { diffRoles, rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { silentLogger } from '@tagplane/runtime';
import type { HeldRoles, OfferedRoles } from '@tagplane/session';
import { clockAt, heldRolesOf, sampleRole } from '../testing/index.ts';
import { decodeRoles, encodeRoles } from './role-codec.ts';
import { RoleHolder } from './role-holder.ts';

const HOUR = 3_600_000;
const DEV = [sampleRole('dev')];
const BOTH = [sampleRole('dev'), sampleRole('ops', 'aws/team', 'db')];

function replace(roles: readonly AccessRole[], remainingMs = HOUR): OfferedRoles {
  return { nonce: 'n', revision: rolesRevision(roles), remainingMs, change: { kind: 'replace', roles } };
}

function start(held?: HeldRoles) {
  const written: HeldRoles[] = [];
  const test = { now: 0, failure: undefined as Error | undefined, written };
  const holder = new RoleHolder(
    {
      store: {
        write: (next) => {
          if (test.failure !== undefined) return Promise.reject(test.failure);
          written.push(next);
          return Promise.resolve();
        },
        clear: () => Promise.resolve(),
      },
      held,
      clock: () => clockAt(test.now)(),
      holder: () => ({ serverId: 'web-1', vouching: { signed: false } }),
      log: silentLogger(),
    },
    true,
  );
  return { holder, test };
}

describe('RoleHolder', () => {
  it('holds none at first, and says so', () => {
    const { holder } = start();
    expect(holder.view()).toEqual({ revision: '', source: 'none', count: 0, remainingMs: undefined });
    expect(holder.inForce(undefined)).toEqual({ kind: 'none', reason: 'this agent holds no roles yet' });
    expect(holder.inForce('it is not sealed')).toMatchObject({
      reason: expect.stringMatching(/were refused, it is not sealed$/),
    });
  });

  it('takes all roles, then what differs, whole', async () => {
    const { holder, test } = start();
    expect(await holder.apply(replace(DEV))).toBeUndefined();
    const first = holder.inForce(undefined);
    expect(first).toMatchObject({ kind: 'held', roles: { revision: rolesRevision(DEV) } });
    expect(holder.inForce(undefined)).toEqual(first);
    const change = { kind: 'apply', baseRevision: rolesRevision(DEV), ...diffRoles(DEV, BOTH) } as const;
    const update = { nonce: 'n', revision: rolesRevision(BOTH), remainingMs: HOUR, change };
    expect(await holder.apply({ ...update, revision: 'wrong' })).toMatch(/revision/);
    expect(holder.view().revision).toBe(rolesRevision(DEV));
    expect(await holder.apply(update)).toBeUndefined();
    expect(holder.inForce(undefined)).toMatchObject({ roles: { revision: rolesRevision(BOTH) } });
    expect(test.written.map(({ revision }) => revision)).toEqual([rolesRevision(DEV), rolesRevision(BOTH)]);
    expect(holder.view()).toMatchObject({ source: 'stream', count: 2 });
  });

  it('decides by what is on disk already, until its life is over, and again when it is renewed', async () => {
    const { holder, test } = start(heldRolesOf(DEV, HOUR));
    expect(holder.view()).toMatchObject({ source: 'disk', remainingMs: HOUR });
    const before = holder.inForce(undefined);
    test.now = HOUR;
    expect(holder.inForce(undefined)).toMatchObject({
      kind: 'none',
      reason: expect.stringMatching(/count no more/),
    });
    const renewal = {
      nonce: 'n',
      revision: rolesRevision(DEV),
      remainingMs: HOUR,
      change: { kind: 'renew' },
    } as const;
    expect(await holder.apply(renewal)).toBeUndefined();
    // The same compiled roles: nothing of them changed.
    const after = holder.inForce(undefined);
    expect(after.kind === 'held' && before.kind === 'held' && after.roles === before.roles).toBe(true);
    expect(await holder.apply({ ...renewal, revision: 'other' })).toMatch(/does not hold/);
  });

  it('holds one list together with other agents of the process', async () => {
    const [one, other] = [start(), start()];
    const copy = [sampleRole('dev')];
    await one.holder.apply(replace(DEV));
    await other.holder.apply(replace(copy));
    expect(other.test.written[0]?.roles === one.test.written[0]?.roles).toBe(true);
  });

  it('keeps what it holds when the disk fails', async () => {
    const { holder, test } = start(heldRolesOf(DEV, HOUR));
    test.failure = new Error('ENOSPC');
    expect(await holder.apply(replace(BOTH))).toMatch(/could not be written to disk: ENOSPC/);
    expect(holder.view().revision).toBe(rolesRevision(DEV));
  });

  it('drops what was meant for another server', async () => {
    const { holder } = start(heldRolesOf(DEV, HOUR));
    expect(holder.inForce(undefined).kind).toBe('held');
    await holder.discard();
    expect(holder.inForce(undefined).kind).toBe('none');
  });
});

describe('roles on disk', () => {
  const owner = { serverId: 'web-1' as never, instance: undefined };
  const held = heldRolesOf(
    [{ ...sampleRole('dev'), maxLabelAgeMs: HOUR, description: 'ü' }, sampleRole('ops')],
    HOUR,
  );

  it('come back as they were', () => {
    const stored = { owner, held, signed: undefined };
    expect(decodeRoles(JSON.parse(JSON.stringify(encodeRoles(stored))))).toEqual(stored);
  });

  it.each([
    ['another login', '"deploy"', '"root"', /revision/],
    ['a rule that is none', '"*"]', '""]', /role dev|revision/],
    ['another shape', '"roles"', '"Roles"', /at roles/],
  ])('are none with %s', (_, from, to, problem) => {
    const text = JSON.stringify(encodeRoles({ owner, held, signed: undefined }));
    expect(text).toContain(from);
    expect(() => decodeRoles(JSON.parse(text.replace(from, to)))).toThrow(problem);
  });
});
