import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A local socket that says what it is told to, whatever it is asked. */
export interface FakeSocket extends AsyncDisposable {
  readonly path: string;
  /** What was asked so far, connection by connection. */
  readonly asked: readonly string[];
}

/**
 * @param answer the bytes to say, or undefined to say nothing and keep the connection open
 */
export async function startFakeSocket(answer: string | undefined): Promise<FakeSocket> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'));
  const path = join(folder, 'fake.sock');
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      asked.push(bytes.toString('utf8'));
      if (answer !== undefined) socket.end(answer);
    });
  });
  server.listen({ path });
  await once(server, 'listening');
  return {
    path,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
      await rm(folder, { recursive: true });
    },
  };
}

/** An HTTP answer with status 200. */
export function okAnswer(body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`;
}
