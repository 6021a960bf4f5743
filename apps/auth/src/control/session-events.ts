import type { ControlStreamRequest } from '@tagplane/protocol';
import type { AuthSessionEvent } from '@tagplane/session';

const MAX_REASON = 1_024;

type Said = Exclude<ControlStreamRequest['message'], { case: 'hello' | 'heartbeat' }>;

/** What a message that says nothing of the node means to the session. */
export function eventOf(message: Said): AuthSessionEvent {
  switch (message.case) {
    case 'labelsAck':
      return { type: 'ack', nonce: message.value.nonce };
    case 'labelsNack':
      return { type: 'nack', nonce: message.value.nonce, reason: message.value.reason.slice(0, MAX_REASON) };
    case 'pong':
      return { type: 'pong', nonce: message.value.nonce };
    // The end of the stream follows a goodbye, and says the same.
    case 'goodbye':
    case 'rolesAck':
    case 'rolesNack':
    case undefined:
      return { type: 'unknown' };
  }
}
