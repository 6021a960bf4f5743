import type { MessageInitShape } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import type { InstanceKey } from '@tagplane/identity';
import { InventoryService } from '@tagplane/protocol';
import type { ControlStreamRequestSchema, ControlStreamResponse, HeartbeatSchema } from '@tagplane/protocol';
import { connectClient } from './client.ts';
import type { AttackerClient } from './client.ts';
import { Pushed } from './pushed.ts';
import type { Dial } from './sockets.ts';

type Message = MessageInitShape<typeof ControlStreamRequestSchema>['message'];

/** An agent's end of a control stream that says what it is told to say, and answers pings and updates. */
export class ControlStream implements Disposable {
  readonly labels = new Map<string, string>();
  /** Whether the service has said hello. */
  greeted = false;
  /** How it ended; undefined: it has not. */
  ended: ConnectError | 'closed' | undefined;
  readonly #client: AttackerClient;
  readonly #requests = new Pushed<MessageInitShape<typeof ControlStreamRequestSchema>>();
  readonly #over: Promise<void>;

  constructor(dial: Dial) {
    this.#client = connectClient(dial);
    const service = createClient(InventoryService, this.#client.transport);
    const answers = service.controlStream(this.#requests, { timeoutMs: 0 });
    this.#over = this.#read(answers).then(
      () => {
        this.ended = 'closed';
      },
      (error: unknown) => {
        this.ended = ConnectError.from(error);
      },
    );
  }

  hello(serverId: string, heartbeat: MessageInitShape<typeof HeartbeatSchema> = {}): this {
    return this.say({ case: 'hello', value: { serverId, version: '1.0.0', heartbeat } });
  }

  say(message: Message): this {
    this.#requests.push(message === undefined ? {} : { message });
    return this;
  }

  /** Resolves when the stream has ended, by either side. */
  async over(): Promise<ConnectError | 'closed'> {
    await this.#over;
    return this.ended ?? 'closed';
  }

  /** Rejects with the error that the service ends the stream with. */
  async failure(): Promise<void> {
    const ended = await this.over();
    if (ended !== 'closed') throw ended;
  }

  [Symbol.dispose](): void {
    this.#requests.end();
    this.#client[Symbol.dispose]();
  }

  async #read(answers: AsyncIterable<ControlStreamResponse>): Promise<void> {
    for await (const { message } of answers) {
      if (message.case === 'hello') this.greeted = true;
      if (message.case === 'ping') this.say({ case: 'pong', value: { nonce: message.value.nonce } });
      if (message.case !== 'updateLabels') continue;
      const { change, nonce } = message.value;
      if (change.case === 'replace') {
        this.labels.clear();
        for (const { labels } of change.value.sets) {
          for (const [key, value] of Object.entries(labels)) this.labels.set(key, value);
        }
      }
      this.say({ case: 'labelsAck', value: { nonce } });
    }
  }
}

export function instanceMessage({ account, region, instance }: InstanceKey): {
  accountId: string;
  region: string;
  instanceId: string;
} {
  return { accountId: account, region, instanceId: instance };
}
