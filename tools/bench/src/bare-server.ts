import type { AddressInfo, Server } from 'node:net';

/** How to send one stream a generation of labels, by the number of its agent. */
export type Streams = Map<number, (generation: number) => void>;

export type BareReport =
  { readonly type: 'listening'; readonly port: number } | { readonly type: 'all-acked' };

/**
 * In a worker: serves bare streams, pushes the generation that the parent names to all of them, and
 * reports when as many acks are in.
 */
export async function serveBarePushes(
  create: (streams: Streams, onAck: () => void) => Server,
): Promise<void> {
  const streams: Streams = new Map();
  let missing = 0;
  const report = (message: BareReport): void => {
    process.send?.(message);
  };
  const server = create(streams, () => {
    missing -= 1;
    if (missing === 0) report({ type: 'all-acked' });
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve);
  });
  process.on('message', (generation: number) => {
    missing = streams.size;
    for (const push of streams.values()) push(generation);
  });
  report({ type: 'listening', port: (server.address() as AddressInfo).port });
}
