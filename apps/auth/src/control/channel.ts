import type { ControlStreamResponse } from '@tagplane/protocol';

/**
 * The sending side of one control stream, however it is carried. It holds at most one message of each
 * kind that the agent has not read: a newer label update or ping takes the place of an unread one.
 * Every method may be called at any time, also after the end.
 */
export interface AgentChannel {
  send(message: ControlStreamResponse): void;
  /** Ends the stream after what is queued and this goodbye, as far as the agent still reads. */
  close(goodbye: ControlStreamResponse | undefined): void;
  /** Ends the stream with PERMISSION_DENIED. */
  deny(reason: string): void;
  /** Ends it at once, also when the agent reads nothing. */
  cut(): void;
}
