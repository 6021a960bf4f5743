import { diffRoles, rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planRolesUpdate, rolesRemainingMs } from './agent-roles.ts';
import type { HeldRoles, OfferedRoles } from './agent-roles.ts';
import { OPEN_AUTH_ROLES, authRolesDueAt, nextAuthRoles } from './auth-roles.ts';
import type { AuthRolesEffect, AuthRolesEvent, HeldRolesClaim } from './auth-roles-state.ts';
import { DEFAULT_AUTH_SESSION_SETTINGS } from './auth-session-state.ts';

const settings = DEFAULT_AUTH_SESSION_SETTINGS;

type RoleTable = Readonly<Record<string, string>>;

function rolesOf(table: RoleTable): AccessRole[] {
  return Object.entries(table).map(([name, login]) => ({
    name,
    description: '',
    allow: [{ logins: [login], nodeLabels: { terms: [{ key: '*', values: ['*'] }] } }],
    deny: [],
    maxLabelAgeMs: undefined,
  }));
}

/** Both ends of the roles on one stream, with a lossy, reordering channel for the answers. */
class Model {
  now = 1_000_000;
  state = OPEN_AUTH_ROLES;
  roles: readonly AccessRole[];
  /** By revision: what differences can be told from. */
  readonly known = new Map<string, readonly AccessRole[]>();
  held: HeldRoles | undefined;
  readonly asked: AuthRolesEffect[] = [];
  answers: AuthRolesEvent[] = [];
  /** The agent refuses whatever comes. */
  stubborn = false;
  sends = 0;
  cut = false;
  readonly problems: string[] = [];

  constructor(table: RoleTable) {
    this.roles = rolesOf(table);
    this.write(table);
    this.feed({ type: 'hello', decides: true, held: this.claim() });
  }

  clock() {
    return { wallMs: this.now, monotonicMs: this.now, boot: 'boot' };
  }

  claim(): HeldRolesClaim {
    const { held } = this;
    return { revision: held?.revision ?? '', remainingMs: held && rolesRemainingMs(held, this.clock()) };
  }

  write(table: RoleTable): void {
    this.roles = rolesOf(table);
    this.known.set(rolesRevision(this.roles), this.roles);
  }

  /** Its turn in the queue of whoever tells. */
  tell(): void {
    this.asked.length = 0;
    const revision = rolesRevision(this.roles);
    this.feed({ type: 'wanted', revision, knows: (base) => this.known.has(base) });
  }

  feed(event: AuthRolesEvent): void {
    if (this.cut) return;
    const { state, effects } = nextAuthRoles(this.state, event, { now: this.now, settings, spread: 0.5 });
    this.state = state;
    for (const effect of effects) {
      if (effect.type === 'ask') this.asked.push(effect);
      if (effect.type === 'unresponsive') this.cut = true;
      if (effect.type === 'acked' && effect.sending.nonce !== `r${this.sends.toString(36)}`) {
        this.problems.push('took an ack of another send');
      }
      if (effect.type === 'send-roles') this.receive(effect);
    }
  }

  receive({ nonce, revision, change }: Extract<AuthRolesEffect, { type: 'send-roles' }>): void {
    this.sends += 1;
    const plan = planRolesUpdate(
      this.held,
      { nonce, revision, remainingMs: 24 * 3_600_000, change: this.offered(change) },
      this.clock(),
    );
    if (plan.kind === 'refuse' || this.stubborn) {
      this.answers.push({ type: 'nack', nonce, reason: 'no' });
      return;
    }
    this.held = plan.held;
    this.answers.push({ type: 'ack', nonce });
  }

  offered(change: Extract<AuthRolesEffect, { type: 'send-roles' }>['change']): OfferedRoles['change'] {
    if (change.kind === 'renew') return { kind: 'renew' };
    if (change.kind === 'replace') return { kind: 'replace', roles: this.roles };
    const base = this.known.get(change.base) ?? [];
    return { kind: 'apply', baseRevision: change.base, ...diffRoles(base, this.roles) };
  }

  /** @param prompt whether answers come at once */
  advance(ms: number, prompt = false): void {
    const until = this.now + ms;
    while (authRolesDueAt(this.state, 0.5) <= until && !this.cut) {
      this.now = Math.max(this.now, authRolesDueAt(this.state, 0.5));
      this.feed({ type: 'tick' });
      if (this.asked.length > 0) this.tell();
      if (prompt) this.deliverAll();
    }
    this.now = until;
  }

  deliverAll(): void {
    while (this.answers.length > 0 || this.asked.length > 0) {
      const answer = this.answers.shift();
      if (answer === undefined) this.tell();
      else this.feed(answer);
    }
  }
}

const tables = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('root', 'deploy'));

type Act = (model: Model) => void;

const acts: fc.Arbitrary<Act> = fc.oneof(
  tables.map((table): Act => (model) => {
    model.write(table);
    model.tell();
  }),
  // Written, and not told yet.
  tables.map((table): Act => (model) => {
    model.write(table);
  }),
  fc.constant<Act>((model) => {
    model.tell();
  }),
  fc.nat(3).map((index): Act => (model) => {
    const [answer] = model.answers.splice(index % Math.max(1, model.answers.length), 1);
    if (answer !== undefined) model.feed(answer);
  }),
  fc.constant<Act>((model) => model.answers.shift()),
  fc.constant<Act>((model) => {
    const [first] = model.answers;
    if (first !== undefined) model.answers.push(first);
  }),
  fc.constant<Act>((model) => {
    model.feed({ type: 'heartbeat', held: model.claim() });
  }),
  // Another auth process, or this one started anew, knows no other sets.
  fc.constant<Act>((model) => {
    model.known.clear();
    model.known.set(rolesRevision(model.roles), model.roles);
  }),
  fc.constant<Act>((model) => {
    model.held = undefined;
  }),
  fc.boolean().map((stubborn): Act => (model) => {
    model.stubborn = stubborn;
  }),
  fc.constantFrom(10, 5_000, 11_000, 9 * 3_600_000).map((ms): Act => (model) => {
    model.advance(ms);
  }),
);

describe('roles on a stream, against a model', () => {
  it('come to be exactly those wanted, whatever was lost or refused, and are not sent again', () => {
    let converged = 0;
    const property = fc.property(tables, fc.array(acts, { maxLength: 40 }), (first, sequence) => {
      const model = new Model(first);
      for (const act of sequence) act(model);
      expect(model.problems).toEqual([]);
      // From here on nothing is lost or refused.
      model.stubborn = false;
      model.tell();
      for (let round = 0; round < 4; round += 1) {
        model.deliverAll();
        model.advance(16 * 60_000, true);
        model.feed({ type: 'heartbeat', held: model.claim() });
        model.deliverAll();
      }
      expect(model.problems).toEqual([]);
      if (model.cut) return;
      converged += 1;
      expect(model.state.sync.phase).toBe('synced');
      expect(model.held?.revision ?? '').toBe(rolesRevision(model.roles));
      expect(new Set(model.held?.roles ?? [])).toEqual(new Set(model.roles));
      const { sends } = model;
      model.feed({ type: 'heartbeat', held: model.claim() });
      model.tell();
      model.deliverAll();
      expect(model.sends).toBe(sends);
      // And they never run out while the agent is connected.
      for (let hour = 0; hour < 30; hour += 1) {
        model.advance(3_600_000, true);
        if (model.held !== undefined && model.roles.length > 0) {
          expect(rolesRemainingMs(model.held, model.clock())).toBeGreaterThan(12 * 3_600_000);
        }
      }
    });
    fc.assert(property, { numRuns: 2_000 });
    // An agent that answers nothing is cut off; most are not.
    expect(converged).toBeGreaterThan(1_000);
  });
});
