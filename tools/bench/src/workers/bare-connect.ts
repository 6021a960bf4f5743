// The floor of PUSH: connect-node's own server, with a handler that does nothing but push and count acks.
import { createServer } from 'node:http2';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { InventoryService } from '@tagplane/protocol';
import type { ControlStreamRequest, ControlStreamResponse } from '@tagplane/protocol';
import { serveBarePushes } from '../bare-server.ts';
import { authHello, updateLabels } from '../messages.ts';
import { Outbox } from '../outbox.ts';

await serveBarePushes((streams, onAck) =>
  createServer(
    connectNodeAdapter({
      routes: (router) => {
        router.rpc(InventoryService.method.controlStream, (requests) => {
          const outbox = new Outbox<ControlStreamResponse>();
          readRequests(requests, outbox).catch(() => {
            outbox.close();
          });
          return outbox;
        });
        async function readRequests(
          requests: AsyncIterable<ControlStreamRequest>,
          outbox: Outbox<ControlStreamResponse>,
        ): Promise<void> {
          for await (const { message } of requests) {
            if (message.case === 'labelsAck') onAck();
            if (message.case !== 'hello') continue;
            const index = Number(message.value.serverId.split('-')[1]);
            streams.set(index, (generation) => {
              outbox.send(updateLabels(index, generation));
            });
            outbox.send(authHello());
          }
        }
      },
    }),
  ),
);
