import { DISCOVERED_NAME_PREFIX } from './names.ts';

/**
 * Keys in the ServerInfo store. The two kinds of ServerInfo have a prefix each, so that the sweep
 * ranges over discovered ones only and the few assigned ones can be read at start.
 */
export const ASSIGNED_PREFIX = 'assigned/';
export const DISCOVERED_PREFIX = 'discovered/';

export function serverInfoKey(name: string): string {
  return (name.startsWith(DISCOVERED_NAME_PREFIX) ? DISCOVERED_PREFIX : ASSIGNED_PREFIX) + name;
}

/** The name in a key of the ServerInfo store. */
export function nameOfKey(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** Whether a key of the ServerInfo store is that of one: a program may keep other things beside them. */
export function isServerInfoKey(key: string): boolean {
  return key.startsWith(ASSIGNED_PREFIX) || key.startsWith(DISCOVERED_PREFIX);
}
