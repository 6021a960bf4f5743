export { ASSIGNED_PREFIX, DISCOVERED_PREFIX, nameOfKey, serverInfoKey } from './keys.ts';
export { DISCOVERED_NAME_PREFIX, discoveredName, isAssignedName, parseDiscoveredName } from './names.ts';
export { type Match, type ServerInfo, type ServerInfoDraft } from './server-info.ts';
