import { parseInstanceKey } from '@tagplane/identity';
import { malformed } from './change.ts';
import type { InstanceState, ParsedEvent } from './change.ts';
import { textAt } from './json.ts';
import type { EventHead } from './event-head.ts';

const STATES: ReadonlySet<string> = new Set<InstanceState>([
  'pending',
  'running',
  'stopping',
  'stopped',
  'shutting-down',
  'terminated',
]);

/** `EC2 Instance State-change Notification`: `detail: {instance-id, state}`. */
export function parseStateEvent(event: object, head: EventHead): ParsedEvent {
  const instance = textAt(event, 'detail', 'instance-id') ?? '';
  const key = parseInstanceKey({ account: head.account, region: head.region, instance });
  if (key === undefined) return malformed('a state of no instance');
  const state = textAt(event, 'detail', 'state')?.toLowerCase() ?? '';
  if (!isState(state)) return malformed('no state of an instance');
  const change = { key, at: head.time, version: undefined, expectation: { kind: 'state', state } } as const;
  return { kind: 'changes', id: head.id, source: 'state', changes: [change] };
}

function isState(text: string): text is InstanceState {
  return STATES.has(text);
}
