import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { credentialsFromIssued, createKey, writeCredentialFile } from '@tagplane/credentials';
import { freePort, runTagctl, startService, waitFor } from '@tagplane/harness';
import {
  IdentityService,
  Role,
  createClientConnection,
  joinCluster,
  renewCredentials,
} from '@tagplane/protocol';
import { MINUTE, formatAddress } from '@tagplane/runtime';
import { connectClient } from '../attacker/client.ts';
import { join as joinByHand } from '../attacker/join.ts';
import { shiftedClock } from '../attacker/shifted-clock.ts';
import { newSourceAddress } from '../attacker/source-address.ts';
import { stealAuthority } from '../attacker/stolen-authority.ts';
import { startAuthProcess } from '../target/auth-process.ts';
import { createOperator } from '../target/operator.ts';
import { someInstance } from '../target/samples.ts';
import type { Target } from '../target/target.ts';

const SHIFTS = [
  ['ahead', 10 * MINUTE],
  ['behind', -10 * MINUTE],
] as const;

export function clockAttacks(target: () => Target): void {
  describe('clocks that differ by ten minutes', () => {
    it.each(SHIFTS)('let everybody in, connect and renew, with the service %s', async (_where, shiftMs) => {
      const folder = await mkdtemp(join(tmpdir(), 'tagplane-clock-'));
      try {
        await using auth = await startAuthProcess(folder, { env: shiftedClock(shiftMs) });
        const issuer = await stealAuthority(auth.files);
        const certificate = await issuer.certify({ role: 'operator', name: 'punctual' });
        using client = connectClient({ address: auth.address, source: newSourceAddress(), certificate });
        const operator = createOperator('operator/punctual', client.transport);
        const { secretToken, caPins } = await operator.tokens.addToken({ role: Role.AGENT });
        const signal = AbortSignal.timeout(60_000);
        const joined = await joinCluster({
          address: auth.address,
          pins: caPins,
          role: 'agent',
          prove: () => Promise.resolve({ case: 'token', value: { token: secretToken } }),
          signal,
        });
        using connection = createClientConnection({
          address: auth.address,
          security: { mode: 'mutual', credentials: () => joined },
        });
        const identity = createClient(IdentityService, connection.transport);
        expect((await identity.getTrust({})).trust?.generation).toBe(1n);
        const renewed = await renewCredentials(connection.transport, joined, { signal });
        expect(renewed.id).toBe(joined.id);
        expect(renewed.certificates[0]).not.toBe(joined.certificates[0]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it.each(SHIFTS)('let an operator work whose clock is %s', async (_where, shiftMs) => {
      const folder = await mkdtemp(join(tmpdir(), 'tagplane-clock-'));
      try {
        const file = join(folder, 'credentials.json');
        await writeCredentialFile(file, await operatorCredentials(target()));
        const { code, output } = await runTagctl(['nodes', 'ls', '--format', 'json'], {
          TAGPLANE_ADDRESS: formatAddress(target().auth.address),
          TAGPLANE_IDENTITY: file,
          HOME: folder,
          ...shiftedClock(shiftMs),
        });
        target().seen.push(...output);
        expect([code, output.join('\n')]).toEqual([0, expect.stringContaining('"honest"')]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it.each(SHIFTS)('let an agent join and have its labels whose clock is %s', async (where, shiftMs) => {
      const instance = someInstance();
      await target().describe(instance, { role: 'late' });
      const serverId = `clock-${where}`;
      const token = await target().addToken({ role: Role.AGENT, name: serverId, instance });
      const folder = await mkdtemp(join(tmpdir(), 'tagplane-clock-'));
      const socket = join(folder, 'agent.sock');
      const settings = {
        AUTH_ADDRESSES: formatAddress(target().auth.address),
        DIAGNOSTICS: `127.0.0.1:${await freePort()}`,
        DATA_DIR: folder,
        SOCKET: socket,
        SERVER_ID: serverId,
        JOIN_TOKEN: token,
        JOIN_CA_PINS: (await target().operator.ca.getCaStatus({})).authorities.map(({ pin }) => pin).join(),
        AWS_ACCOUNT_ID: instance.account,
        AWS_REGION: instance.region,
        AWS_INSTANCE_ID: instance.instance,
      };
      const agent = await startService('agent', serverId, settings, shiftedClock(shiftMs));
      try {
        await waitFor('it has its labels', async () => (await labelsOf(socket))['aws/role'] === 'late', {
          timeoutMs: 60_000,
          everyMs: 250,
        });
      } finally {
        await agent.stop();
        target().seen.push(...agent.output);
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}

/** An operator's, got as `tagctl login` does it. */
async function operatorCredentials(target: Target) {
  const token = await target.addToken({ role: Role.OPERATOR, name: 'late' });
  const { key, issued } = await joinByHand(target.dial(), {
    role: Role.OPERATOR,
    name: 'late',
    key: createKey(),
    prove: () => ({ case: 'token', value: { token } }),
  });
  target.secrets.addPem("an operator's key", key.privateKey);
  const { certificates, trust } = issued;
  return credentialsFromIssued({
    issued: {
      certificates,
      generation: Number(trust?.generation ?? 0),
      authorities: trust?.authorities ?? [],
    },
    privateKey: key.privateKey,
    cluster: target.cluster,
  });
}

/** What an agent tells whoever asks on its own machine. */
async function labelsOf(socketPath: string): Promise<Record<string, string>> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath, path: '/v1/labels', timeout: 2_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        resolve(body);
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject).end();
  });
  return (JSON.parse(text) as { labels: Record<string, string> }).labels;
}
