import { isIP, isIPv6 } from 'node:net';

/** Where to listen or connect; port 0 asks the system for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`, `[v6]:port` or `:port` (loopback); undefined when the text is none of them. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  return { host: plain === undefined || plain === '' ? '127.0.0.1' : plain, port };
}

export function formatAddress(address: Address): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only this machine can reach it. A name other than `localhost` is not trusted to be. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost';
}
