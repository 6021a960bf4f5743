import { describe, expect, it } from '@jest/globals';
import type { CaPhaseName, CaStatusView } from '../views/ca.ts';
import { blockedText, nextMove, nextText } from './plan.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

function status(phase: CaPhaseName, changes: Partial<CaStatusView> = {}): CaStatusView {
  return {
    cluster: 'test',
    phase,
    phase_since: null,
    generation: 1,
    authorities: [],
    followers: [],
    old_certificates_until: null,
    blocked: null,
    ...changes,
  };
}

const OLD_LIVE = { old_certificates_until: new Date(NOW + 3_600_000).toISOString() };
const OLD_ENDED = { old_certificates_until: new Date(NOW - 1).toISOString() };
const BLOCKED = { blocked: '1 peer does not follow' };
const PATIENT = { force: false, dropNow: false };

describe('nextMove', () => {
  it.each([
    ['the start', status('STABLE'), false, PATIENT, 'trust'],
    ['a rotation that was begun before', status('TRUSTING'), false, PATIENT, 'sign'],
    ['its last step', status('SIGNING', OLD_ENDED), false, PATIENT, 'drop'],
    ['no old certificate was ever made', status('SIGNING'), true, PATIENT, 'drop'],
    ['old certificates, --now', status('SIGNING', OLD_LIVE), true, { force: false, dropNow: true }, 'drop'],
    ['the end', status('STABLE'), true, PATIENT, 'done'],
    ['the end, whatever is in the way of the next', status('STABLE', BLOCKED), true, PATIENT, 'done'],
    ['somebody who does not follow', status('TRUSTING', BLOCKED), true, PATIENT, 'wait soon'],
    ['the same, --force', status('TRUSTING', BLOCKED), true, { force: true, dropNow: false }, 'sign'],
    ['in the way at the start', status('STABLE', BLOCKED), false, PATIENT, 'wait soon'],
    ['old certificates', status('SIGNING', OLD_LIVE), true, PATIENT, 'wait'],
    ['old certificates, --force', status('SIGNING', OLD_LIVE), true, { force: true, dropNow: false }, 'wait'],
  ])('%s', (_name, state, begun, options, expected) => {
    const move = nextMove(state, begun, options, NOW);
    const text = { step: 'step' in move ? move.step : '', done: 'done', wait: '' };
    if (move.kind === 'wait') text.wait = move.soon ? 'wait soon' : 'wait';
    expect(text[move.kind]).toBe(expected);
  });

  it('does nothing in a phase that it does not know', () => {
    expect(() => nextMove(status('UNKNOWN'), false, PATIENT, NOW)).toThrow(/does not know/);
  });
});

it('blockedText names a few of those who are waited for', () => {
  const followers = ['a', 'b'].map((auth_id) => ({
    auth_id,
    following: true,
    peers: 2,
    trusting: 0,
    renewed: 0,
    waiting_for: [`spiffe://test/agent/${auth_id}1`, `spiffe://test/agent/${auth_id}2`],
  }));
  expect(blockedText(status('TRUSTING', { ...BLOCKED, followers }))).toBe(
    '1 peer does not follow (spiffe://test/agent/a1, spiffe://test/agent/a2, spiffe://test/agent/b1, …)',
  );
  expect(blockedText(status('TRUSTING', BLOCKED))).toBe('1 peer does not follow');
});

describe('nextText', () => {
  it.each([
    [status('STABLE'), /^nothing; 'tagctl ca rotate' replaces the authority$/],
    [status('TRUSTING'), /^sign: the new authority signs; /],
    [status('TRUSTING', BLOCKED), /^sign: the new authority signs, once nothing is in the way; /],
    [status('SIGNING', OLD_LIVE), /^drop: .*, when its last certificate ends in 1h; /],
    [status('SIGNING', OLD_ENDED), /^drop: the old authority is trusted no more; /],
    [status('UNKNOWN'), /not known/],
  ])('%j', (state, expected) => {
    expect(nextText(state, NOW)).toMatch(expected);
  });
});
