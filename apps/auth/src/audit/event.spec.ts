import { describe, expect, it } from '@jest/globals';
import { cleanRecord, decodeEvent, eventLine, storedEvent } from './event.ts';
import type { AuditEvent } from './event.ts';

function event(parts: Partial<AuditEvent> = {}): AuditEvent {
  const record = cleanRecord({ code: 'lock.added', result: 'ok' });
  return { ...record, id: '0-1', time: Date.UTC(2026, 10, 22, 10), authId: 'auth-1', count: 1, ...parts };
}

describe('a line', () => {
  it('has what is always there, and leaves out what is empty', () => {
    expect(eventLine(event())).toBe(
      '{"id":"0-1","time":"2026-11-22T10:00:00.000Z","code":"lock.added","result":"ok","auth_id":"auth-1"}\n',
    );
  });

  it('has everything else under its documented name', () => {
    const full = event({
      actor: 'operator/ada',
      remoteAddress: '10.0.0.7',
      reason: 'why',
      subjects: ['agent:web-1'],
      details: { __proto__x: '1', ttl: '1h' },
      count: 3,
    });
    expect(JSON.parse(eventLine(full))).toEqual({
      id: '0-1',
      time: '2026-11-22T10:00:00.000Z',
      code: 'lock.added',
      result: 'ok',
      auth_id: 'auth-1',
      actor: 'operator/ada',
      remote_address: '10.0.0.7',
      reason: 'why',
      subjects: ['agent:web-1'],
      details: { __proto__x: '1', ttl: '1h' },
      count: 3,
    });
    expect(decodeEvent(storedEvent(full))).toEqual(full);
  });

  it('is one line whatever is in it', () => {
    const record = cleanRecord({
      code: 'join.refused',
      result: 'refused',
      actor: 'agent/\n{"forged":true}',
      reason: '\u001b]0;x\u0007\r\n',
      subjects: ['\ud800', 'a\u2028b'],
      details: JSON.parse('{"__proto__": "\\u0000x"}') as Record<string, string>,
    });
    const line = eventLine(event(record));
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(decodeEvent(line)).toMatchObject({
      actor: 'agent/\ufffd{"forged":true}',
      subjects: ['\ufffd', 'a\ufffdb'],
    });
    expect(Object.entries(decodeEvent(line)?.details ?? {})).toEqual([['__proto__', '\ufffdx']]);
  });
});

describe('bounds', () => {
  it('hold for every text', () => {
    const long = 'x'.repeat(100_000);
    const details = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}${long}`, long]));
    const subjects = Array.from({ length: 5_000 }, () => long);
    const clean = cleanRecord({
      code: long,
      result: 'refused',
      actor: long,
      remoteAddress: long,
      reason: long,
      subjects,
      details,
    });
    expect(clean.subjects).toHaveLength(1_000);
    expect(Object.keys(clean.details)).toHaveLength(32);
    expect(storedEvent(event(clean)).length).toBeLessThan(64_000);
  });

  it('keep 20 subjects in the store, and say how many there were', () => {
    const subjects = Array.from({ length: 112 }, (_, n) => `aws-${n}`);
    const stored = decodeEvent(storedEvent(event({ subjects, details: { accepted: '112' } })));
    expect(stored?.subjects).toEqual(subjects.slice(0, 20));
    expect(stored?.details).toEqual({ accepted: '112', subjects: '112' });
    expect((JSON.parse(eventLine(event({ subjects }))) as { subjects: string[] }).subjects).toHaveLength(112);
  });
});

describe('decodeEvent', () => {
  const good = JSON.parse(storedEvent(event())) as Record<string, unknown>;
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no id', JSON.stringify({ ...good, id: 1 })],
    ['no time', JSON.stringify({ ...good, time: 'soon' })],
    ['another result', JSON.stringify({ ...good, result: 'maybe' })],
    ['other subjects', JSON.stringify({ ...good, subjects: [1] })],
    ['other details', JSON.stringify({ ...good, details: { a: {} } })],
  ])('leaves out what has %s', (_, value) => {
    expect(decodeEvent(value)).toBeUndefined();
  });
});
