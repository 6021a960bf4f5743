import { describe, expect, it } from '@jest/globals';
import { compileRoles } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { freshness, heldAgeMs, heldRemainingMs } from '@tagplane/session';
import type { HeldLabels } from '@tagplane/session';
import type { LabelFacts } from '../label-sets.ts';
import { clockAt, heldOf, sampleRole } from '../testing/index.ts';
import { Decider } from './decider.ts';
import type { RolesInForce } from './decider.ts';

const MINUTE = 60_000;
const PROD = new Map([['aws/env', 'prod']]);

class Node {
  now = 0;
  version = 0;
  asked = 0;
  held: HeldLabels | undefined;
  stated: LabelFacts['stated'] = { configured: new Map(), commands: [], imported: undefined };
  inForce: RolesInForce;
  readonly decider: Decider;

  constructor(roles: readonly AccessRole[]) {
    this.inForce = { kind: 'held', roles: compileRoles(roles) };
    this.decider = new Decider({
      roles: () => this.inForce,
      labels: () => {
        this.asked += 1;
        return { stated: this.stated, held: this.#view() };
      },
      version: () => String(this.version),
      clock: () => clockAt(this.now)(),
    });
  }

  #view(): LabelFacts['held'] {
    const now = clockAt(this.now)();
    const none = {
      revision: '',
      source: 'none',
      fresh: [],
      stale: [],
      ageMs: undefined,
      remainingMs: undefined,
    };
    if (this.held === undefined) return none as unknown as LabelFacts['held'];
    const { held } = this;
    return {
      ...freshness(held, now),
      ...{ revision: held.revision, source: 'stream' },
      ...{ ageMs: heldAgeMs(held, now), remainingMs: heldRemainingMs(held, now) },
    };
  }

  ask(roles: readonly string[] = ['dev'], login = 'deploy') {
    return this.decider.decide({ login, roles, traits: new Map() });
  }
}

describe('Decider', () => {
  it('allows by the labels that the node has now, and says which', () => {
    const node = new Node([sampleRole('dev', 'aws/env', 'prod')]);
    expect(node.ask()).toMatchObject({ allowed: false, reason: { cause: 'not-granted' } });
    node.held = heldOf(PROD, MINUTE);
    node.version += 1;
    expect(node.ask()).toMatchObject({ allowed: true, grantedBy: ['dev'] });
    expect(node.ask(['ops']).allowed).toBe(false);
    expect(node.ask(['dev'], 'root').allowed).toBe(false);
  });

  it('stops when the labels run out, without being told', () => {
    const node = new Node([sampleRole('dev', 'aws/env', 'prod')]);
    node.held = heldOf(PROD, MINUTE);
    expect(node.ask().allowed).toBe(true);
    node.now = MINUTE - 1;
    expect(node.ask().allowed).toBe(true);
    node.now = MINUTE;
    expect(node.ask()).toMatchObject({ allowed: false });
    // All that time it looked at the labels once.
    expect(node.asked).toBe(1);
  });

  it('takes labels of unknown age for too old, where a role asks for their age', () => {
    const young = { ...sampleRole('dev', 'aws/env', 'prod'), maxLabelAgeMs: MINUTE };
    const node = new Node([young]);
    const held = heldOf(PROD);
    node.held = held;
    expect(node.ask().allowed).toBe(true);
    node.now = MINUTE;
    expect(node.ask().allowed).toBe(false);
    node.held = { ...held, sets: held.sets.map((set) => ({ ...set, ageMs: undefined })) };
    node.now = 0;
    node.version += 1;
    expect(node.ask().allowed).toBe(false);
    node.inForce = { kind: 'held', roles: compileRoles([{ ...young, maxLabelAgeMs: undefined }]) };
    expect(node.ask().allowed).toBe(true);
  });

  it('knows own labels and those of commands by their age', () => {
    const own = { ...sampleRole('own', 'role', 'web'), maxLabelAgeMs: 1 };
    const command = { ...sampleRole('command', 'kernel', '6.*'), maxLabelAgeMs: MINUTE };
    const node = new Node([own, command]);
    node.stated = {
      configured: new Map([['role', 'web']]),
      commands: [{ name: 'kernel', value: '6.1', ageMs: 0, remainingMs: 3 * MINUTE, problem: undefined }],
      imported: undefined,
    };
    expect(node.ask(['own', 'command']).grantedBy).toEqual(['command', 'own']);
    node.now = MINUTE;
    expect(node.ask(['own', 'command']).grantedBy).toEqual(['own']);
  });

  it('denies without roles, with the reason why there are none', () => {
    const node = new Node([]);
    node.inForce = { kind: 'none', reason: 'its roles count no more' };
    expect(node.ask()).toMatchObject({
      allowed: false,
      grantedBy: [],
      reason: { cause: 'unavailable', detail: expect.stringContaining('its roles count no more') },
    });
  });
});
