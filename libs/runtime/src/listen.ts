import type { Server } from 'node:net';
import type { Logger } from 'pino';
import type { Address } from './address.ts';
import { formatAddress, isLoopback } from './address.ts';

/** Connections that wait to be accepted: ten thousand agents may come back within seconds. */
const BACKLOG = 4_096;

/**
 * Starts listening.
 *
 * @returns the address it listens on, with the port the system gave when 0 was asked for
 * @throws Error that names the address, when it is taken or not this machine's
 */
export async function listen(server: Server, address: Address): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(new Error(`cannot listen on ${formatAddress(address)}: ${error.message}`, { cause: error }));
    };
    server.once('error', onError);
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no TCP address');
  return { host: address.host, port: bound.port };
}

/** Says once, as a warning, that a listener without TLS can be reached from other machines. */
export function warnUnlessLoopback(log: Logger, what: string, address: Address): void {
  if (isLoopback(address.host)) return;
  log.warn({
    event: 'insecure_listener',
    listener: what,
    address: formatAddress(address),
    message: `${what} listens beyond loopback without TLS: whoever reaches it is believed`,
  });
}
