import { NAMESPACES } from '@tagplane/labels';
import type { Registry } from '@tagplane/runtime';
import { Counter, Gauge, SECOND } from '@tagplane/runtime';
import type { AgentState } from './disk-state.ts';
import type { LabelHolder, LabelView } from './label-holder.ts';
import type { AgentObserver } from './observer.ts';
import type { RoleHolder } from './roles/role-holder.ts';

/** What an agent holds, and what it did not take from its disk. */
export interface Measured {
  readonly holder: Pick<LabelHolder, 'view'>;
  readonly roles: Pick<RoleHolder, 'view'> | undefined;
  readonly state: Pick<AgentState, 'refused'>;
}

/** The agent's figures. What is held is read when the metrics are. */
export function agentMetrics(registry: Registry, measured: Measured): AgentObserver {
  const registers = [registry];
  const connected = new Gauge({
    name: 'tagplane_agent_connected',
    help: '1 while the control stream is open, else 0.',
    registers,
  });
  const reconnects = new Counter({
    name: 'tagplane_agent_reconnects_total',
    help: 'Streams that ended, or could not be opened, and were followed by another attempt.',
    registers,
  });
  const heartbeats = new Counter({
    name: 'tagplane_agent_heartbeats_total',
    help: 'Heartbeats sent after the one in the hello.',
    registers,
  });
  const updates = new Counter({
    name: 'tagplane_agent_updates_total',
    help: 'Label updates received, by kind (replace, renew, unknown) and result (ack, nack).',
    labelNames: ['kind', 'result'],
    registers,
  });
  const unknown = new Counter({
    name: 'tagplane_agent_unknown_messages_total',
    help: 'Messages of a kind that this version does not know.',
    registers,
  });
  const commands = new Counter({
    name: 'tagplane_agent_label_commands_total',
    help: 'Runs of the commands of labels, by label and result (ok, failed).',
    labelNames: ['label', 'result'],
    registers,
  });
  const imports = new Counter({
    name: 'tagplane_agent_tag_imports_total',
    help: 'Times instance metadata was asked for tags, by result (ok, absent, denied, unreachable, failed).',
    labelNames: ['result'],
    registers,
  });
  const decisions = new Counter({
    name: 'tagplane_agent_decisions_total',
    help: 'Questions whether a login is allowed that were answered, by result (allowed, denied).',
    labelNames: ['result'],
    registers,
  });
  const roleUpdates = new Counter({
    name: 'tagplane_agent_role_updates_total',
    help: 'Updates of roles received, by kind (replace, apply, renew, unknown) and result (ack, nack).',
    labelNames: ['kind', 'result'],
    registers,
  });
  heldMetrics(registry, () => measured.holder.view());
  stateMetrics(registry, measured);
  return {
    connected() {
      connected.set(1);
    },
    disconnected() {
      connected.set(0);
      reconnects.inc();
    },
    heartbeatSent() {
      heartbeats.inc();
    },
    updateAnswered(kind, _revision, problem) {
      updates.inc({ kind, result: problem === undefined ? 'ack' : 'nack' });
    },
    rolesAnswered(kind, _revision, problem) {
      roleUpdates.inc({ kind, result: problem === undefined ? 'ack' : 'nack' });
    },
    unknownMessage() {
      unknown.inc();
    },
    commandRan(label, result) {
      commands.inc({ label, result });
    },
    tagsAsked(result) {
      imports.inc({ result });
    },
    decided(result) {
      decisions.inc({ result });
    },
  };
}

function heldMetrics(registry: Registry, view: () => LabelView): void {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_agent_held_labels',
    help: 'Labels held from the auth service that count now, by namespace.',
    labelNames: ['namespace'],
    registers,
    collect() {
      const { fresh } = view();
      for (const namespace of NAMESPACES) {
        this.set({ namespace }, fresh.find((set) => set.namespace === namespace)?.labels.size ?? 0);
      }
    },
  });
  new Gauge({
    name: 'tagplane_agent_label_age_seconds',
    help: 'Time since the source of the oldest labels held was asked; NaN when that is unknown.',
    registers,
    collect() {
      this.set((view().ageMs ?? Number.NaN) / SECOND);
    },
  });
  new Gauge({
    name: 'tagplane_agent_label_remaining_seconds',
    help: 'Time until the first labels held stop counting; NaN when none do.',
    registers,
    collect() {
      this.set((view().remainingMs ?? Number.NaN) / SECOND);
    },
  });
}

function stateMetrics(registry: Registry, { holder, roles, state }: Measured): void {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_agent_held_roles',
    help: 'Roles held from the auth service that count now.',
    registers,
    collect() {
      const { count = 0, remainingMs = 0 } = roles?.view() ?? {};
      this.set(remainingMs > 0 ? count : 0);
    },
  });
  new Gauge({
    name: 'tagplane_agent_roles_remaining_seconds',
    help: 'Time until the roles held stop counting; NaN when there are none.',
    registers,
    collect() {
      this.set((roles?.view().remainingMs ?? Number.NaN) / SECOND);
    },
  });
  new Gauge({
    name: 'tagplane_agent_state_source',
    help: '1 for where what is held came from (source: stream, disk, none), by kind (labels, roles).',
    labelNames: ['kind', 'source'],
    registers,
    collect() {
      this.reset();
      this.set({ kind: 'labels', source: holder.view().source }, 1);
      this.set({ kind: 'roles', source: roles?.view().source ?? 'none' }, 1);
    },
  });
  const refused = new Counter({
    name: 'tagplane_agent_refused_state_total',
    help: 'Files of labels or roles that were not used: edited, put back, or not as the auth service signed.',
    labelNames: ['file'],
    registers,
  });
  for (const { file } of state.refused()) refused.inc({ file });
}
