import type { Lock, LockTarget } from '@tagplane/protocol';
import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { instanceText } from './node-table.ts';
import { instanceView, timeView } from './node.ts';
import type { InstanceView } from './node.ts';
import type { TableOf } from './table-of.ts';

/** A lock as JSON and YAML show it; others script against these names. */
export interface LockView {
  /** What `lock rm` takes. */
  readonly id: string;
  readonly target: LockTargetView;
  /** Null: none was given. */
  readonly message: string | null;
  /** RFC 3339, UTC; null: until removed. */
  readonly expires_at: string | null;
  readonly created_by: string;
  readonly created_at: string | null;
}

/** Null: a kind of target that this version does not know. */
export type LockTargetView =
  { readonly agent: string } | { readonly instance: InstanceView } | { readonly identity: string } | null;

export function lockView(lock: Lock): LockView {
  return {
    id: lock.id,
    target: targetView(lock.target),
    message: lock.message === '' ? null : lock.message,
    expires_at: timeView(lock.expiresAt),
    created_by: lock.createdBy,
    created_at: timeView(lock.createdAt),
  };
}

function targetView(target: LockTarget | undefined): LockTargetView {
  switch (target?.target.case) {
    case 'agent':
      return { agent: target.target.value };
    case 'instance':
      return { instance: instanceView(target.target.value) };
    case 'identity':
      return { identity: target.target.value };
    case undefined:
      return null;
  }
}

export const lockTable: TableOf<LockView> = {
  plural: 'locks',
  columns: [
    { title: 'ID', priority: 0 },
    { title: 'TARGET', priority: 1, shrinkTo: 20 },
    { title: 'ENDS', priority: 2 },
    { title: 'MADE BY', priority: 4, shrinkTo: 16 },
    { title: 'MADE', priority: 5 },
    { title: 'MESSAGE', priority: 3, shrinkTo: 16 },
  ],
  row: (lock, now) => [
    { text: visible(lock.id) },
    { text: visible(targetText(lock.target)) },
    { text: until(lock.expires_at, now) },
    { text: visible(lock.created_by) },
    { text: ago(lock.created_at, now) },
    { text: visible(lock.message ?? '') },
  ],
  details: (lock, now) => [
    ['locked', { text: visible(targetText(lock.target)) }],
    ['ends', { text: until(lock.expires_at, now) }],
    ['message', { text: visible(lock.message ?? '-') }],
    ['made by', { text: visible(lock.created_by) }],
    ['id', { text: visible(lock.id) }],
  ],
};

function targetText(target: LockTargetView): string {
  if (target === null) return 'of a kind unknown to this version';
  if ('agent' in target) return `agent ${target.agent}`;
  return 'instance' in target ? `instance ${instanceText(target.instance)}` : target.identity;
}
