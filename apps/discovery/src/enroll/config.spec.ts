import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { enrollField } from './config.ts';
import { ENROLL, enrollSettings } from './testing/settings.ts';

const { agent } = ENROLL;

describe('enrollField', () => {
  it('needs where the agent is, where it connects to, and by what it knows the cluster; the rest has defaults', () => {
    expect(enrollSettings()).toMatchObject({
      document: 'AWS-RunShellScript',
      join: 'token',
      cap_per_minute: 60,
      max_in_flight: 200,
      auth_addresses: ['auth.test:7420', '[2001:db8::1]:7420'],
    });
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['no addresses', { auth_addresses: [] }, 'auth_addresses', 'at least one address'],
    ['an address without a port', { auth_addresses: ['auth.test'] }, 'auth_addresses.0', 'HOST:PORT'],
    ['no pin', { ca_pins: ['sha256:1'] }, 'ca_pins.0', 'tagctl ca status'],
    [
      'a short hash',
      { agent: { ...agent, installer_sha256: 'aa' } },
      'agent.installer_sha256',
      '64 hexadecimal',
    ],
    ['no hash', { agent: { ...agent, sha256: {} } }, 'agent.sha256', 'x64, arm64 or both'],
    [
      'one release for two kinds of machine',
      { agent: { ...agent, url: 'https://downloads.test/agent.tar.gz' } },
      'agent.url',
      '{arch}',
    ],
    [
      'a quote in a URL',
      { agent: { ...agent, url: "https://x/'; rm" } },
      'agent.url',
      'without spaces and quotes',
    ],
    ['a file', { agent: { ...agent, url: 'file:///etc/passwd' } }, 'agent.url', 'expected https://'],
    ['a document with spaces', { document: 'My Document' }, 'document', 'SSM document'],
    ['an unknown way to join', { join: 'ec2' }, 'join', 'token'],
    ['no attempts at all', { cap_per_minute: 0 }, 'cap_per_minute', '>=1'],
  ])('refuses %s, by its key', (_what, more, path, message) => {
    const { error } = enrollField.safeParse({ ...ENROLL, ...more });
    const issue = error?.issues[0];
    expect(issue?.path.join('.')).toBe(path);
    expect(issue?.message).toContain(message);
  });

  it('refuses keys that it does not know', () => {
    expect(z.safeParse(enrollField, { ...ENROLL, token: 'x' }).success).toBe(false);
  });
});
