import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  AuthGoodbyeSchema,
  AuthHelloSchema,
  ControlStreamResponseSchema,
  GoodbyeReason,
  LabelLifetimeSchema,
  LabelLifetimesSchema,
  LabelSetSchema,
  LabelSetsSchema,
  PingSchema,
  TrustChangedSchema,
  UpdateLabelsSchema,
  labelsToMessage,
} from '@tagplane/protocol';
import type {
  ControlStreamResponse,
  LabelLifetime,
  LabelSet,
  Signature,
  UpdateLabels,
} from '@tagplane/protocol';
import { NAMESPACES } from '@tagplane/labels';
import type { CloseReason, HeldLifetime, LabelSets, LabelsVersion, Span } from '@tagplane/session';

/** How an agent should behave, said in the hello. Milliseconds. */
export interface AgentTimes {
  readonly heartbeatMs: number;
  readonly idleTimeoutMs: number;
}

export function helloMessage(auth: {
  readonly authId: string;
  readonly version: string;
  readonly times: AgentTimes;
}): ControlStreamResponse {
  return response({
    case: 'hello',
    value: create(AuthHelloSchema, {
      authId: auth.authId,
      version: auth.version,
      heartbeatInterval: durationFromMs(auth.times.heartbeatMs),
      idleTimeout: durationFromMs(auth.times.idleTimeoutMs),
    }),
  });
}

/** The whole content. A set without labels runs out never: there is nothing in it that could. */
export function replaceMessage(
  nonce: string,
  version: LabelsVersion,
  sets: LabelSets,
  now: number,
  signature?: Signature,
): ControlStreamResponse {
  const messages: LabelSet[] = [];
  for (const namespace of NAMESPACES) {
    const source = sets[namespace];
    if (source === undefined) continue;
    const labels = labelsToMessage(source.labels);
    const lifetime = lifetimeMessage(version.spans[namespace], now);
    messages.push(create(LabelSetSchema, { namespace, labels, lifetime }));
  }
  const value = create(LabelSetsSchema, { sets: messages });
  return update(nonce, version.revision, { case: 'replace', value }, signature);
}

/** Only the lifetimes of what the agent holds. */
export function renewMessage(
  nonce: string,
  version: LabelsVersion,
  now: number,
  signature?: Signature,
): ControlStreamResponse {
  const lifetimes: Record<string, LabelLifetime> = {};
  for (const namespace of NAMESPACES) {
    const span = version.spans[namespace];
    if (span !== undefined) lifetimes[namespace] = lifetimeMessage(span, now);
  }
  const value = create(LabelLifetimesSchema, { lifetimes });
  return update(nonce, version.revision, { case: 'renew', value }, signature);
}

export function pingMessage(nonce: string): ControlStreamResponse {
  return response({ case: 'ping', value: create(PingSchema, { nonce }) });
}

/** The agent is to renew its certificate, and trust what comes with it, at a time of its choice within this. */
export function trustChangedMessage(generation: number, withinMs: number): ControlStreamResponse {
  const value = create(TrustChangedSchema, {
    generation: BigInt(generation),
    within: durationFromMs(Math.round(withinMs)),
  });
  return response({ case: 'trustChanged', value });
}

const REASONS: Readonly<Record<Exclude<CloseReason, 'ended'>, GoodbyeReason>> = {
  drain: GoodbyeReason.DRAIN,
  superseded: GoodbyeReason.SUPERSEDED,
  refused: GoodbyeReason.REFUSED,
  unresponsive: GoodbyeReason.UNRESPONSIVE,
};

/** Undefined when the other side ended the stream: nobody is there to read it. */
export function goodbyeMessage(
  reason: CloseReason,
  message: string,
  reconnectAfterMs: number | undefined,
): ControlStreamResponse | undefined {
  if (reason === 'ended') return undefined;
  const after =
    reconnectAfterMs === undefined ? {} : { reconnectAfter: durationFromMs(Math.round(reconnectAfterMs)) };
  return response({
    case: 'goodbye',
    value: create(AuthGoodbyeSchema, { reason: REASONS[reason], message, ...after }),
  });
}

function update(
  nonce: string,
  revision: string,
  change: UpdateLabels['change'],
  signature: Signature | undefined,
): ControlStreamResponse {
  const value = create(UpdateLabelsSchema, { nonce, revision, change });
  if (signature !== undefined) value.signature = signature;
  return response({ case: 'updateLabels', value });
}

function response(message: ControlStreamResponse['message']): ControlStreamResponse {
  return create(ControlStreamResponseSchema, { message });
}

/** Whole milliseconds, none of them below 0. */
export function lifetimeOf(span: Span | undefined, now: number): HeldLifetime {
  const { observedAt, expiresAt } = span ?? {};
  return {
    ageMs: observedAt === undefined ? undefined : Math.max(0, Math.round(now - observedAt)),
    remainingMs: expiresAt === undefined ? undefined : Math.max(0, Math.round(expiresAt - now)),
  };
}

function lifetimeMessage(span: Span | undefined, now: number): LabelLifetime {
  const { ageMs, remainingMs } = lifetimeOf(span, now);
  const lifetime = create(LabelLifetimeSchema);
  if (ageMs !== undefined) lifetime.age = durationFromMs(ageMs);
  if (remainingMs !== undefined) lifetime.remaining = durationFromMs(remainingMs);
  return lifetime;
}
