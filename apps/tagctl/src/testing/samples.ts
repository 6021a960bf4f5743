import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { parseSelector } from '@tagplane/labels';
import { NodeSchema, ServerInfoSchema, SyncState, accessRoleToMessage } from '@tagplane/protocol';
import type { AccessRole, Node, ServerInfo } from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** Keys and values that a careless program spoils. */
export const NASTY_LABELS: readonly (readonly [string, string])[] = [
  ['aws/Name', 'web 1'],
  ['aws/__proto__', 'proto'],
  ['__proto__', 'bare proto'],
  ['constructor', 'hasOwnProperty'],
  ['toString', ''],
  ['10', 'ten'],
  ['9', 'nine'],
  ['yes', 'no'],
  ['null', '~'],
  ['1_000', '12:30:00'],
  ['aws/aws:tag', '0x1F'],
  ['aws/kubernetes.io/role', 'master'],
  ['aws/Patch Group', '  padded  '],
  ['aws/empty', ''],
  ['aws/quote"d', 'a, b = "c"'],
  ['aws/colon: ', '- item # no comment'],
  ['aws/emoji 👩‍👩‍👧', '日本語 🚀'],
  ['aws/combining', 'e\u0301'],
  ['aws/astral', '\u{1d11e}'],
  ['aws/esc', '\u001b[2J\u001b]0;owned\u0007'],
  ['aws/c1', '\u009b31m'],
  ['aws/bidi', '\u202eexe.txt\u2066'],
  ['aws/newlines', 'one\r\ntwo\n\nthree\u2028four\u0085five\n'],
  ['aws/tab\tkey', '\t'],
  ['aws/back\\slash', '\\u001b \\n'],
  ['aws/nul', 'a\u0000b'],
  ['aws/bom', '\ufeffx'],
  ['aws/long', 'x'.repeat(256)],
  ['&anchor', '*alias'],
  ['!tag', '%directive'],
  ['<<', 'merge'],
  ['? complex', '| block'],
];

export function sampleNode(index: number, labels: readonly (readonly [string, string])[] = []): Node {
  const number = String(index).padStart(5, '0');
  return create(NodeSchema, {
    serverId: `server-${number}`,
    hostname: `ip-10-0-0-${index}.eu-central-1.compute.internal`,
    connected: true,
    authId: 'auth-1',
    agentVersion: '0.1.0',
    awsInstance: {
      accountId: '123456789012',
      region: 'eu-central-1',
      instanceId: `i-0000000000000${number.slice(1)}`,
    },
    labels: Object.fromEntries(labels),
    sync: {
      state: SyncState.SYNCED,
      revision: 'b1946ac92492d2347c6235b4d2611184',
      ackedRevision: 'b1946ac92492d2347c6235b4d2611184',
    },
    lastSeen: timestampFromMs(NOW - 12_000),
  });
}

export function sampleServerInfo(
  name: string,
  labels: readonly (readonly [string, string])[] = [],
): ServerInfo {
  return create(ServerInfoSchema, {
    name,
    match: { target: { case: 'serverId', value: 'server-00001' } },
    labels: Object.fromEntries(labels),
    observedAt: timestampFromMs(NOW - 60_000),
    expiresAt: timestampFromMs(NOW + 3_600_000),
    revision: 42n,
    origin: 'operator/tester',
  });
}

/** Lets one login in where the selector, in its text form, holds. */
export function sampleRole(name: string, login: string, selector: string): AccessRole {
  return accessRoleToMessage({
    name,
    description: '',
    maxLabelAgeMs: undefined,
    allow: [{ logins: [login], nodeLabels: parseSelector(selector) }],
    deny: [],
  });
}
