import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  ControlStreamRequestSchema,
  HeartbeatSchema,
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
} from '@tagplane/protocol';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { heldRemainingMs, planUpdate, rebase } from '@tagplane/session';
import type { ClockReading, HeldLabels, OfferedUpdate } from '@tagplane/session';
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
      value: { serverId: as, version: '1.2.3', heartbeat: this.#heartbeat() },
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
    return this.received.map(({ message }) =>
      message.case === 'updateLabels' ? (message.value.change.case ?? '') : (message.case ?? ''),
    );
  }

  get goodbye(): ControlStreamResponse['message']['value'] | undefined {
    return this.received.find(({ message }) => message.case === 'goodbye')?.message.value;
  }

  send(message: ControlStreamResponse): void {
    this.received.push(message);
    if (this.options.answers === false) return;
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
    return create(HeartbeatSchema, {
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
