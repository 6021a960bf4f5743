import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FoundInstance } from './found-instance.ts';
import type { Known } from './known.ts';
import { LossLedger } from './loss-ledger.ts';
import type { Work } from './plan.ts';

const NAME = 'aws-123456789012-eu-central-1-i-00000000000000001';

function found(revision: string, labels: readonly string[], terminated = false): FoundInstance {
  return {
    name: NAME,
    state: terminated ? 'terminated' : 'running',
    platform: 'linux',
    revision,
    packedLabels: JSON.stringify(labels),
    observedAt: 0,
    rejected: [],
  };
}
const one = (): number => 1;
const none = (): number => 0;
const upsert = (instance: FoundInstance): Work => ({
  action: 'upsert',
  name: NAME,
  reason: 'changed',
  found: instance,
});
const accepted = ({ revision, packedLabels: held }: FoundInstance): Known => ({
  state: 'accepted',
  revision,
  expiresAt: 1,
  held,
});

const BEFORE = found('r1', ['aws/env', 'prod']);
const MORE = found('r2', ['aws/env', 'prod', 'aws/team', 'db']);
const LESS = found('r3', []);
const DELETION: Work = { action: 'delete', name: NAME };

describe('a ledger of losses', () => {
  let ledger: LossLedger;
  const known = accepted(BEFORE);
  const requests = (): number[] => ledger.requests(one, 0).map(({ losing }) => losing.length);
  beforeEach(() => {
    ledger = new LossLedger();
  });

  it.each<[string, Work, Known | undefined]>([
    ['a new instance', upsert(BEFORE), undefined],
    ['a label more', upsert(MORE), known],
    ['the same again', upsert(BEFORE), known],
    ['the end of an instance without labels', DELETION, accepted(LESS)],
  ])('lets %s pass', (_, work, before) => {
    expect(ledger.admit(work, before)).toBe(true);
    expect(ledger.waiting).toBe(0);
  });

  it.each<[string, Work]>([
    ['a label less', upsert(LESS)],
    ['an end', DELETION],
  ])('holds %s back until leave is given', (_, work) => {
    expect(ledger.admit(work, known)).toBe(false);
    expect(ledger.waiting).toBe(1);
    const [request] = ledger.requests(one, 0);
    expect(ledger.grant(request?.losing ?? [], 0)).toEqual([NAME]);
    expect(ledger.admit(work, known)).toBe(true);
    expect(requests()).toEqual([]);
  });

  it('takes leave for one target for no other', () => {
    ledger.admit(upsert(LESS), known);
    const [request] = ledger.requests(none, 0);
    ledger.admit(DELETION, known);
    expect(ledger.grant(request?.losing ?? [], 0)).toEqual([]);
    expect(ledger.admit(DELETION, known)).toBe(false);
  });

  it('remembers what the instance had after that has run out: waiting is no way around', () => {
    ledger.admit(upsert(LESS), known);
    expect(ledger.admit(upsert(LESS), undefined)).toBe(false);
    expect(ledger.requests(none, 0).map(({ total }) => total)).toEqual([1]);
  });

  it('forgets what was carried out, and what the instance has again', () => {
    ledger.admit(upsert(LESS), known);
    ledger.done(NAME, 'r9');
    expect(ledger.waiting).toBe(1);
    ledger.done(NAME, 'r3');
    expect(ledger.waiting).toBe(0);
    ledger.admit(upsert(LESS), known);
    ledger.settle(BEFORE, known);
    expect(ledger.waiting).toBe(0);
  });

  it('keeps what waits while nothing is due for other reasons', () => {
    ledger.admit(upsert(LESS), known);
    ledger.settle(LESS, known);
    expect(ledger.waiting).toBe(1);
    ledger.settle(found('r3', [], true), undefined);
    expect(ledger.waiting).toBe(0);
  });

  it('asks once about an absent instance, and lets it go when its labels have run out', () => {
    ledger.absent(NAME, known);
    expect(requests()).toEqual([1]);
    ledger.grant(ledger.requests(none, 0)[0]?.losing ?? [], 0);
    ledger.absent(NAME, known);
    expect(requests()).toEqual([]);
    ledger.absent(NAME, undefined);
    expect([...ledger.names()]).toEqual([]);
  });

  it('counts an instance once in a quarter of an hour, however often it loses something', () => {
    const fresh = (revision: string, now: number): number | undefined => {
      ledger.admit(upsert(found(revision, ['aws/v', revision])), known);
      const [request] = ledger.requests(one, now);
      ledger.grant(request?.losing ?? [], now);
      return request?.fresh;
    };
    expect([fresh('a', 0), fresh('b', 1), fresh('c', 899_999), fresh('d', 900_000)]).toEqual([1, 0, 0, 1]);
  });
});
