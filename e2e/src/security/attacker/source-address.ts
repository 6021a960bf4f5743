/** 127.0.1.1 to 127.0.255.254; the system answers on all of 127.0.0.0/8. */
const FIRST_BLOCK = 1;
const HOSTS = 254;
let taken = 0;

/**
 * A loopback address that nobody in this process has come from yet. The service's limits for one address
 * then hit one attack only, and an audit event tells by its address which attack it is about.
 */
export function newSourceAddress(): string {
  const [block, host] = [FIRST_BLOCK + Math.floor(taken / HOSTS), 1 + (taken % HOSTS)];
  if (block > 255) throw new RangeError('no loopback address is left');
  taken += 1;
  return `127.0.${block}.${host}`;
}
