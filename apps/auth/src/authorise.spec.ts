import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { ROLES } from '@tagplane/identity';
import { InventoryService, NodeService, ServerInfoService, StatusService } from '@tagplane/protocol';
import { authorise } from './authorise.ts';

const SERVICES = [ServerInfoService, NodeService, InventoryService, StatusService];

/** By role, the methods that it may call; `nobody` did not say who it is. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  nobody: [],
  agent: ['ControlStream'],
  auth: ['GetServerInfo', 'ListServerInfos', 'ListNodes', 'GetNode', 'WatchNodes', 'GetStatus'],
  discovery: [
    'UpsertServerInfos',
    'GetServerInfo',
    'ListServerInfos',
    'DeleteServerInfos',
    'ListNodes',
    'GetNode',
    'WatchNodes',
    'GetStatus',
  ],
  operator: [
    'UpsertServerInfos',
    'GetServerInfo',
    'ListServerInfos',
    'DeleteServerInfos',
    'ListNodes',
    'GetNode',
    'WatchNodes',
    'GetStatus',
  ],
};

const METHODS = SERVICES.flatMap(({ methods }) => methods);

function codeFor(role: string, method: (typeof METHODS)[number]): Code | undefined {
  const known = ROLES.find((one) => one === role);
  try {
    authorise(method, known && { role: known, name: 'x', proof: 'claimed' });
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

describe('authorise', () => {
  it.each([...ROLES, 'nobody'])('lets %s call just what it may', (role) => {
    const allowed = METHODS.filter((method) => codeFor(role, method) === undefined);
    expect(allowed.map(({ name }) => name).sort()).toEqual([...(MAY[role] ?? [])].sort());
  });

  it('tells a stranger to say who it is, and a known peer that it may not', () => {
    for (const method of METHODS) expect(codeFor('nobody', method)).toBe(Code.Unauthenticated);
    expect(codeFor('agent', StatusService.method.getStatus)).toBe(Code.PermissionDenied);
  });

  it('refuses a method that has no rule', () => {
    for (const name of ['Other', 'constructor', '__proto__']) {
      const method = { ...StatusService.method.getStatus, name };
      expect(codeFor('operator', method)).toBe(Code.PermissionDenied);
    }
  });
});
