import type { AuthSessionEffect } from '@tagplane/session';
import type { AgentChannel } from './channel.ts';
import { renewMessage, replaceMessage } from './messages.ts';
import type { Wanting } from './node-view.ts';
import type { Statements, StreamSignatures } from './statements.ts';

type SendUpdate = Extract<AuthSessionEffect, { type: 'send-update' }>;

export interface LabelsOutParts {
  readonly channel: AgentChannel;
  /** Both undefined without TLS. */
  readonly statements: Statements | undefined;
  readonly signatures: StreamSignatures | undefined;
}

/** Sends label updates down one stream, each with the auth service's word for it. */
export class LabelsOut {
  readonly #parts: LabelsOutParts;
  /** Whether the agent takes what was signed together with others. */
  takesBatches = false;
  #closed = false;

  constructor(parts: LabelsOutParts) {
    this.#parts = parts;
  }

  /** What still waits for its signature is not sent any more. */
  close(): void {
    this.#closed = true;
  }

  send(serverId: string, { nonce, kind, version }: SendUpdate, { sets }: Wanting, now: number): void {
    const { channel, statements, signatures } = this.#parts;
    const say = (signature?: Parameters<typeof renewMessage>[3]): void => {
      channel.send(
        kind === 'replace'
          ? replaceMessage(nonce, version, sets, now, signature)
          : renewMessage(nonce, version, now, signature),
      );
    };
    if (statements === undefined || signatures === undefined) {
      say();
      return;
    }
    const said = { serverId, version, sets, now };
    if (this.takesBatches) {
      statements.labelsTogether(said, (signed) => {
        if (!this.#closed) say(signatures.message('labels', statements.authority, signed));
      });
    } else {
      say(signatures.message('labels', statements.authority, statements.labels(said)));
    }
  }
}
