import type { Suite } from './suite.ts';
import { accessSuite } from './suites/access.ts';
import { convergeSuite } from './suites/converge.ts';
import { discoverySuite } from './suites/discovery.ts';
import { eventsSuite } from './suites/events.ts';
import { latencySuite } from './suites/latency.ts';
import { pushSuite } from './suites/push.ts';
import { rangeSuite } from './suites/range.ts';
import { scanSuite } from './suites/scan.ts';
import { sshSuite } from './suites/ssh.ts';
import { tlsSuite } from './suites/tls.ts';
import { upsertSuite } from './suites/upsert.ts';

export const SUITES = {
  scan: scanSuite,
  upsert: upsertSuite,
  range: rangeSuite,
  push: pushSuite,
  latency: latencySuite,
  converge: convergeSuite,
  tls: tlsSuite,
  access: accessSuite,
  ssh: sshSuite,
  events: eventsSuite,
  discovery: discoverySuite,
} as const satisfies Readonly<Record<string, Suite>>;

export function isSuiteName(name: string): name is keyof typeof SUITES {
  return Object.hasOwn(SUITES, name);
}
