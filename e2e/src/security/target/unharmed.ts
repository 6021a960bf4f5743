import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import type { Target } from './target.ts';

/** The service answers its operator, and the honest agent never noticed anything. */
export async function expectUnharmed(target: Target): Promise<void> {
  const { auth, operator, honest } = target;
  const status = await operator.status.getStatus({}, { timeoutMs: 10_000 });
  expect(status.authId).toBe('fortress-1');
  expect(auth.process.running()).toBe(true);
  expect(honest.ended).toBeUndefined();
  expect(Object.fromEntries(honest.labels)).toEqual({ 'aws/role': 'honest' });
  const { node } = await operator.nodes.getNode({ serverId: honest.serverId });
  expect(node?.connected).toBe(true);
}

/** Every text that left the service in this run, by where it went. */
export async function everythingSaid(target: Target): Promise<[string, string][]> {
  const { auth, operator, audit, seen } = target;
  const events = (await audit.all()).map((event) => json(event));
  return [
    ['its output', await auth.output()],
    ['the audit file', await readFile(auth.files.audit, 'utf8')],
    ['the audit events', events.join('\n')],
    ['errors and answers', seen.join('\n')],
    ['the nodes', json(await operator.nodes.listNodes({ pageSize: 1_000 }))],
    ['the tokens', json(await operator.tokens.listTokens({}))],
    ['the locks', json(await operator.locks.listLocks({}))],
    ['the joins', json(await operator.joins.listJoins({}))],
    ['its metrics', await auth.metrics()],
  ];
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
