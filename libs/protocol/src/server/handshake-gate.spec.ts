import { describe, expect, it } from '@jest/globals';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { HandshakeGate, addressGroup } from './handshake-gate.ts';

const LIMITS = { ...DEFAULT_CONNECTION_LIMITS, handshakesPerSecond: 100, handshakesPerAddress: 2 };

/** How many of so many get through at once. */
function admitted(
  gate: HandshakeGate,
  now: number,
  count: number,
  address: (turn: number) => string,
): number {
  let through = 0;
  for (let turn = 0; turn < count; turn += 1) {
    if (gate.refusal(address(turn), now) === undefined) through += 1;
  }
  return through;
}

describe('HandshakeGate', () => {
  it('gives an address ten seconds of its share at once, then its share', () => {
    const gate = new HandshakeGate(LIMITS, 0);
    const one = () => '10.0.0.1';
    expect(admitted(gate, 0, 50, one)).toBe(20);
    expect(gate.refusal('10.0.0.1', 400)).toBe('address_rate');
    expect(admitted(gate, 1_000, 50, one)).toBe(2);
    expect(admitted(gate, 60_000, 50, one)).toBe(20);
  });

  it('gives all together a second of their share at once, then their share', () => {
    const gate = new HandshakeGate(LIMITS, 0);
    const many = (turn: number) => `10.0.${turn % 250}.1`;
    expect(admitted(gate, 0, 500, many)).toBe(100);
    expect(gate.refusal('10.1.0.1', 0)).toBe('handshake_rate');
    expect(admitted(gate, 500, 500, many)).toBe(50);
  });

  it('does not let one address use up what is for all', () => {
    const gate = new HandshakeGate(LIMITS, 0);
    admitted(gate, 0, 10_000, () => '10.0.0.1');
    expect(admitted(gate, 0, 500, (turn) => `10.1.${turn % 250}.1`)).toBe(80);
  });

  it('lets 10,000 agents back in within ten seconds by default, and within a minute from one address', () => {
    for (const [address, seconds] of [
      [(turn: number) => `10.0.${Math.floor(turn / 250)}.${turn % 250}`, 10],
      [() => '10.0.0.1', 60],
    ] as const) {
      const gate = new HandshakeGate(DEFAULT_CONNECTION_LIMITS, 0);
      let waiting = 10_000;
      for (let second = 0; second < seconds; second += 1) {
        waiting -= admitted(gate, second * 1_000, waiting, address);
      }
      expect(waiting).toBe(0);
    }
  });

  it('keeps to its bounds over more addresses than it remembers', () => {
    const gate = new HandshakeGate({ ...LIMITS, handshakesPerSecond: 1_000_000 }, 0);
    admitted(gate, 0, 20, () => '10.0.0.1');
    expect(gate.refusal('10.0.0.1', 0)).toBe('address_rate');
    for (let turn = 0; turn < 10_000; turn += 1)
      gate.refusal(`10.${turn % 256}.${Math.floor(turn / 256)}.9`, 0);
    // Forgotten, and so begins anew: what an attacker with so many addresses gains is bounded by the rest.
    expect(gate.refusal('10.0.0.1', 0)).toBeUndefined();
  });
});

describe('addressGroup', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', '0:0:0:0'],
  ])('of %j is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
