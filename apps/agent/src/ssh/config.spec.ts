import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { agentConfig, settingsOf } from '../config.ts';
import { socketsOfConfig } from './configured.ts';

const rest = { auth: { addresses: ['127.0.0.1:7420'] }, tls: { mode: 'insecure' } };

describe('ssh in agent.yaml', () => {
  it.each([
    [{}, undefined],
    [{ ssh: {} }, { socket: '/run/tagplane-agent/ssh.sock' }],
    [{ ssh: { socket: '/run/x.sock', group: 'sshd-ask' } }, { socket: '/run/x.sock', group: 'sshd-ask' }],
  ])('%j', (part, ssh) => {
    expect(settingsOf(agentConfig.parse({ ...rest, ...part })).ssh).toEqual(ssh);
  });

  it.each([
    [{ socket: 'relative.sock' }, 'expected an absolute path'],
    [{ socket: `/${'x'.repeat(107)}` }, 'too long for a Unix socket'],
    [{ group: '' }, 'group'],
    [{ mode: '0666' }, 'mode'],
  ])('refuses %j', (ssh, problem) => {
    const message = agentConfig.safeParse({ ...rest, ssh }).error?.message;
    expect(message).toContain(problem);
  });
});

describe('socketsOfConfig', () => {
  it('asks the one for logins first', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-'));
    const file = join(folder, 'agent.yaml');
    const lines = 'auth: { addresses: ["127.0.0.1:7420"] }\ntls: { mode: insecure }\ndata_dir: /d\n';
    await writeFile(file, lines);
    expect(socketsOfConfig(file)).toEqual(['/d/agent.sock']);
    await writeFile(file, `${lines}ssh: {}\n`);
    expect(socketsOfConfig(file)).toEqual(['/run/tagplane-agent/ssh.sock', '/d/agent.sock']);
    await rm(folder, { recursive: true });
  });
});
