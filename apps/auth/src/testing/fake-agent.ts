import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  ControlStreamRequestSchema,
  ControlStreamResponseSchema,
  HeartbeatSchema,
  accessRoleFromMessage,
  instanceToMessage,
  labelsFromMessage,
  optionalDurationMs,
} from '@tagplane/protocol';
import type {
  ControlStreamRequest,
  ControlStreamResponse,
  Heartbeat,
  PeerConnection,
  UpdateLabels,
  UpdateRoles,
} from '@tagplane/protocol';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { heldRemainingMs, planRolesUpdate, planUpdate, rebase, rolesRemainingMs } from '@tagplane/session';
import type { ClockReading, HeldLabels, HeldRoles, OfferedRoles, OfferedUpdate } from '@tagplane/session';
import type { AgentCaller } from '../control/agent-peer.ts';
import type { AgentSession } from '../control/agent-session.ts';
import type { AgentChannel } from '../control/channel.ts';
import { instance } from './fleet.ts';

type Message = MessageInitShape<typeof ControlStreamRequestSchema>['message'];

export interface FakeAgentOptions {
  /** Number of the instance it runs on; undefined: none. */
  readonly runsOn?: number;
  readonly own?: Record<string, string>;
  readonly imported?: Record<string, string>;
  /** Without one it is believed. */
  readonly connection?: PeerConnection;
  /** Generation of the trust bundle that it holds. */
  readonly trusts?: number;
  /** What it says it runs on, instead of `runsOn`. */
  readonly claims?: { readonly accountId: string; readonly region: string; readonly instanceId: string };
  /** Whether it answers updates and pings at once. Default true. */
  readonly answers?: boolean;
  /** Whether it says that it takes roles. Default true. */
  readonly decides?: boolean;
  /** Whether it says that it takes signatures over batches. Default true. */
  readonly takesBatches?: boolean;
  /** Whether it refuses roles. */
  readonly refusesRoles?: boolean;
}

/**
 * An agent at the other end of a channel in memory: it holds labels by the same rules as a real one and
 * keeps them from one session to the next.
 */
export class FakeAgent implements AgentChannel {
  readonly serverId: string;
  readonly received: ControlStreamResponse[] = [];
  options: FakeAgentOptions;
  held: HeldLabels | undefined;
  roles: HeldRoles | undefined;
  session: AgentSession | undefined;
  ended: 'open' | 'closed' | 'denied' | 'cut' = 'open';

  constructor(serverId: string, options: FakeAgentOptions = {}) {
    this.serverId = serverId;
    this.options = options;
  }

  /** Opens a stream and says hello. */
  connect(
    plane: { connect(channel: AgentChannel, caller: AgentCaller): AgentSession },
    as = this.serverId,
  ): this {
    this.ended = 'open';
    const { connection } = this.options;
    const claimed = { role: 'agent', name: this.serverId, proof: 'claimed' } as const;
    this.session = plane.connect(this, { peer: connection?.identity?.peer ?? claimed, connection });
    return this.say({
      case: 'hello',
      value: {
        serverId: as,
        version: '1.2.3',
        heartbeat: this.#heartbeat(),
        decides: this.options.decides ?? true,
        takesBatches: this.options.takesBatches ?? true,
      },
    });
  }

  heartbeat(options: FakeAgentOptions = this.options): this {
    this.options = options;
    return this.say({ case: 'heartbeat', value: this.#heartbeat() });
  }

  say(message: Message): this {
    const request: ControlStreamRequest = create(
      ControlStreamRequestSchema,
      message === undefined ? {} : { message },
    );
    this.session?.receive(request);
    return this;
  }

  /** What it decides by, own labels left out. */
  get labels(): Record<string, string> {
    return Object.fromEntries((this.held?.sets ?? []).flatMap((set) => [...set.labels]));
  }

  /** Kinds of the messages since the latest hello, updates with what they change. */
  get log(): string[] {
    return this.received.map(({ message }) => {
      if (message.case === 'updateLabels') return message.value.change.case ?? '';
      return message.case === 'updateRoles' ? `roles ${message.value.change.case}` : (message.case ?? '');
    });
  }

  /** Updates of roles so far. */
  get roleUpdates(): UpdateRoles[] {
    return this.received.flatMap(({ message }) => (message.case === 'updateRoles' ? [message.value] : []));
  }

  /** Names of the roles that it holds. */
  get roleNames(): string {
    return (this.roles?.roles ?? []).map(({ name }) => name).join(' ');
  }

  get goodbye(): ControlStreamResponse['message']['value'] | undefined {
    return this.received.find(({ message }) => message.case === 'goodbye')?.message.value;
  }

  send(sent: ControlStreamResponse): void {
    // Roles come as bytes that were written before: they are read as on a stream.
    const roles = sent.message.case === 'updateRoles';
    const message = roles
      ? fromBinary(ControlStreamResponseSchema, toBinary(ControlStreamResponseSchema, sent))
      : sent;
    this.received.push(message);
    if (this.options.answers === false) return;
    if (message.message.case === 'updateRoles') {
      const update = message.message.value;
      queueMicrotask(() => this.answerRoles(update));
    }
    // As on a stream: never within the call that sends.
    if (message.message.case === 'updateLabels') {
      const update = message.message.value;
      queueMicrotask(() => this.answer(update));
    }
    if (message.message.case === 'ping') {
      const { nonce } = message.message.value;
      queueMicrotask(() => this.say({ case: 'pong', value: { nonce } }));
    }
  }

  answer(update: UpdateLabels): this {
    const plan = planUpdate(this.held, offered(update), clock());
    const { nonce } = update;
    if (plan.kind === 'refuse')
      return this.say({ case: 'labelsNack', value: { nonce, reason: plan.reason } });
    this.held = plan.held;
    return this.say({ case: 'labelsAck', value: { nonce } });
  }

  answerRoles(update: UpdateRoles): this {
    const plan = planRolesUpdate(this.roles, offeredRoles(update), clock());
    const { nonce } = update;
    if (plan.kind === 'refuse' || this.options.refusesRoles === true) {
      const reason = plan.kind === 'refuse' ? plan.reason : 'it does not want to';
      return this.say({ case: 'rolesNack', value: { nonce, reason } });
    }
    this.roles = plan.held;
    return this.say({ case: 'rolesAck', value: { nonce } });
  }

  /** As if its roles had been sent long ago. */
  forgetsRolesIn(remainingMs: number): void {
    this.roles = this.roles && { ...this.roles, remainingMs };
  }

  close(goodbye: ControlStreamResponse | undefined): void {
    if (this.ended !== 'open') return;
    if (goodbye !== undefined) this.received.push(goodbye);
    this.ended = 'closed';
    const { session } = this;
    if (this.options.answers !== false) queueMicrotask(() => session?.end());
  }

  deny(): void {
    this.ended = 'denied';
  }

  cut(): void {
    this.ended = 'cut';
  }

  #heartbeat(): Heartbeat {
    const { runsOn, own = {}, imported = {}, trusts = 0 } = this.options;
    const claims =
      this.options.claims ?? (runsOn === undefined ? undefined : instanceToMessage(instance(runsOn)));
    const held = this.held && rebase(this.held, clock());
    const remaining = held && heldRemainingMs(held, clock());
    const { roles } = this;
    return create(HeartbeatSchema, {
      ...(roles && {
        heldRolesRevision: roles.revision,
        heldRolesRemaining: durationFromMs(rolesRemainingMs(roles, clock())),
      }),
      hostname: `${this.serverId}.example`,
      labels: own,
      importedLabels: imported,
      heldRevision: held?.revision ?? '',
      trustGeneration: BigInt(trusts),
      ...(claims === undefined ? {} : { awsInstance: claims }),
      ...(remaining === undefined ? {} : { heldRemaining: durationFromMs(remaining) }),
    });
  }
}

function clock(): ClockReading {
  return { wallMs: Date.now(), monotonicMs: Date.now(), boot: 'test' };
}

function offered({ nonce, revision, change }: UpdateLabels): OfferedUpdate {
  if (change.case === 'replace') {
    const sets = change.value.sets.map(({ namespace, labels, lifetime }) => ({
      namespace,
      labels: labelsFromMessage(labels),
      ageMs: optionalDurationMs(lifetime?.age),
      remainingMs: optionalDurationMs(lifetime?.remaining),
    }));
    return { nonce, revision, change: { kind: 'replace', sets } };
  }
  if (change.case === 'renew') {
    const lifetimes = new Map(
      Object.entries(change.value.lifetimes).map(([namespace, lifetime]) => [
        namespace,
        { ageMs: optionalDurationMs(lifetime.age), remainingMs: optionalDurationMs(lifetime.remaining) },
      ]),
    );
    return { nonce, revision, change: { kind: 'renew', lifetimes } };
  }
  return { nonce, revision, change: { kind: 'unknown' } };
}

function offeredRoles({ nonce, revision, change, remaining }: UpdateRoles): OfferedRoles {
  const offer = { nonce, revision, remainingMs: optionalDurationMs(remaining) };
  switch (change.case) {
    case 'replace':
      return { ...offer, change: { kind: 'replace', roles: change.value.roles.map(accessRoleFromMessage) } };
    case 'apply': {
      const { baseRevision, put, removed } = change.value;
      return {
        ...offer,
        change: { kind: 'apply', baseRevision, put: put.map(accessRoleFromMessage), removed },
      };
    }
    case 'renew':
      return { ...offer, change: { kind: 'renew' } };
    case undefined:
      return { ...offer, change: { kind: 'unknown' } };
  }
}
