import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Where to listen or connect; port 0 asks the system for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** What ends in a number is read as an IPv4 address everywhere, never as a name (WHATWG URL, "ends in a number"). */
const NUMBER_AT_END = /(^|\.)[0-9]+\.?$/;

/** Reads `host:port`, `[v6]:port` or `:port` (loopback); undefined when the text is none of them. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) {
    // A zone (`fe80::1%eth0`) has no place in the URLs that addresses become.
    return isIPv6(bracketed) && !bracketed.includes('%') ? { host: bracketed, port } : undefined;
  }
  const host = plain === undefined || plain === '' ? '127.0.0.1' : plain;
  if (!NAME.test(host) || (NUMBER_AT_END.test(host) && !isIPv4(host))) return undefined;
  return { host, port };
}

export function formatAddress(address: Address): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach it. A name other than `localhost` is not trusted to be. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
