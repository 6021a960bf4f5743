import { describe, expect, it } from '@jest/globals';
import type { Report } from './report.ts';
import { fingerprint } from './report.ts';
import { sampleInstance } from './testing/index.ts';

const REPORT: Report = {
  hostname: 'host',
  ownLabels: new Map([['a', 'b']]),
  importedLabels: new Map([['aws/a', 'b']]),
  instance: sampleInstance('0'),
  heldRevision: 'r1',
  heldRemainingMs: 60_000,
  heldRolesRevision: 'x1',
  heldRolesRemainingMs: 60_000,
  trustGeneration: 1,
};

describe('fingerprint', () => {
  it.each<[string, Partial<Report>, boolean]>([
    ['nothing', {}, false],
    ['the hostname', { hostname: 'other' }, true],
    ['an own label', { ownLabels: new Map([['a', 'c']]) }, true],
    ['an imported label', { importedLabels: new Map() }, true],
    ['the instance', { instance: sampleInstance('1') }, true],
    ['the instance, to none', { instance: undefined }, true],
    ['the labels held, which an ack told already', { heldRevision: 'r2' }, false],
    ['time', { heldRemainingMs: 1 }, false],
    ['the roles held, which an ack told already', { heldRolesRevision: 'x2' }, false],
    ['the end of the roles', { heldRolesRemainingMs: 0 }, true],
    ['freshness', { heldRemainingMs: 0 }, true],
  ])('differs by %s: %j', (_, changes, differs) => {
    expect(fingerprint({ ...REPORT, ...changes }) !== fingerprint(REPORT)).toBe(differs);
  });
});
