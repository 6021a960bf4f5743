import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Measured } from '../figure.ts';
import { runWorker } from '../worker.ts';

/** For the worker that serves. */
export interface TlsServerWork {
  /** Our server, node's HTTP/2 server, or node's TLS server, which does nothing after the handshake. */
  readonly how: 'ours' | 'http2' | 'tls';
  readonly fleetFile: string;
}

/** For the worker that connects. */
export interface HandshakeWork {
  readonly port: number;
  /** Of the server. */
  readonly pid: number;
  readonly fleetFile: string;
  readonly count: number;
  readonly warmUp: number;
}

/** CPU of the server for one handshake, and the connection's end, in microseconds. */
export interface HandshakeCost {
  readonly cold: number;
  readonly resumed: number;
}

const SIZE = { count: 1_000, warmUp: 200 };
const MICROSECONDS = 1e6;

/** Handshakes of mutual TLS 1.3 with P-256, cold and resumed, beside node's own servers. */
export async function measureHandshakes(fleetFile: string, runs: number): Promise<Measured[]> {
  const costs: Record<TlsServerWork['how'], HandshakeCost>[] = [];
  for (let run = 0; run < runs; run += 1) {
    costs.push({
      tls: await handshakesOf({ how: 'tls', fleetFile }),
      http2: await handshakesOf({ how: 'http2', fleetFile }),
      ours: await handshakesOf({ how: 'ours', fleetFile }),
    });
  }
  const rates = (kind: keyof HandshakeCost, floor: 'http2' | 'tls'): Measured['samples'] =>
    costs.map((cost) => ({
      value: MICROSECONDS / cost.ours[kind],
      floor: MICROSECONDS / cost[floor][kind],
    }));
  const unit = '/CPU s';
  return [
    { name: 'TLS handshakes, cold: rate, floor of node:http2', unit, samples: rates('cold', 'http2') },
    { name: 'TLS handshakes, resumed: rate, floor of node:http2', unit, samples: rates('resumed', 'http2') },
    { name: 'TLS handshakes, cold: rate, floor of node:tls', unit, samples: rates('cold', 'tls') },
    { name: 'TLS handshakes, resumed: rate, floor of node:tls', unit, samples: rates('resumed', 'tls') },
  ];
}

async function handshakesOf(work: TlsServerWork): Promise<HandshakeCost> {
  const server = fork(
    fileURLToPath(new URL('../workers/tls-server.ts', import.meta.url)),
    [JSON.stringify(work)],
    { execArgv: ['--conditions=@tagplane/source'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const exited = new Promise((resolve) => server.once('exit', resolve));
  try {
    const port = await Promise.race([
      new Promise<number>((resolve) => {
        server.once('message', (message) => {
          resolve(message as number);
        });
      }),
      exited.then(() => {
        throw new Error('the server ended before it listened');
      }),
    ]);
    const { fleetFile } = work;
    const options: HandshakeWork = { port, pid: server.pid ?? Number.NaN, fleetFile, ...SIZE };
    return await runWorker<HandshakeCost>('handshakes', options);
  } finally {
    server.kill('SIGKILL');
    await exited;
  }
}
