import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parsePeerClaim, peerText } from '@tagplane/identity';
import { operatorPeer } from './identity.ts';
import { configFile, readSettings } from './settings.ts';

let homeDir: string;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'tagctl-home-'));
});

afterEach(async () => {
  await rm(homeDir, { recursive: true });
});

async function configure(text: string, base = join(homeDir, '.config')): Promise<void> {
  await mkdir(join(base, 'tagplane'), { recursive: true });
  await writeFile(join(base, 'tagplane', 'config.yaml'), text);
}

describe('readSettings', () => {
  const operator = (name: string) => ({
    mode: 'insecure',
    peer: { role: 'operator', name, proof: 'claimed' },
  });

  it('without anything said', () => {
    expect(readSettings({}, { env: { USER: 'alice' }, homeDir })).toEqual({
      address: { host: '127.0.0.1', port: 7420 },
      addressText: '127.0.0.1:7420',
      security: { mode: 'mutual', file: join(homeDir, '.config', 'tagplane', 'credentials.json') },
      timeoutMs: 10_000,
    });
  });

  it('flag over variable over file', async () => {
    await configure('address: file:1\nidentity: from-file\n');
    const at = (flags: Parameters<typeof readSettings>[0], env: Record<string, string>): unknown[] => {
      const { addressText, security } = readSettings(flags, { env, homeDir });
      return [addressText, security];
    };
    const env = { TAGPLANE_ADDRESS: 'env:2', TAGPLANE_IDENTITY: 'from-env' };
    expect(at({}, {})).toEqual(['file:1', { mode: 'mutual', file: 'from-file' }]);
    expect(at({}, env)).toEqual(['env:2', { mode: 'mutual', file: 'from-env' }]);
    const flags = { address: { host: 'flag', port: 3 }, identity: 'from-flag' };
    expect(at(flags, env)).toEqual(['flag:3', { mode: 'mutual', file: 'from-flag' }]);
  });

  it.each([
    ['insecure: true\nname: from-file', {}, {}, operator('from-file')],
    ['insecure: true\nname: from-file', {}, { TAGPLANE_NAME: 'from-env' }, operator('from-env')],
    ['insecure: true', { name: 'from-flag' }, { TAGPLANE_NAME: 'from-env' }, operator('from-flag')],
    ['', { insecure: true }, { USER: 'alice' }, operator('alice')],
    ['identity: a', { insecure: true }, { USER: 'alice' }, operator('alice')],
    ['identity: a', {}, { TAGPLANE_INSECURE: 'true', USER: 'alice' }, operator('alice')],
    ['insecure: true', { identity: 'a' }, {}, { mode: 'mutual', file: 'a' }],
    ['insecure: true', {}, { TAGPLANE_IDENTITY: 'a' }, { mode: 'mutual', file: 'a' }],
    ['insecure: true\nidentity: a', {}, { TAGPLANE_INSECURE: 'false' }, { mode: 'mutual', file: 'a' }],
    ['insecure: true', {}, { TAGPLANE_INSECURE: 'true', TAGPLANE_IDENTITY: 'a' }, undefined],
    ['insecure: true\nidentity: a', {}, {}, undefined],
    ['', { insecure: true, identity: 'a' }, {}, undefined],
  ])('%j with %j and %j is %j', async (text, flags, env, expected) => {
    await configure(text);
    const read = () => readSettings(flags, { env, homeDir }).security;
    if (expected !== undefined) expect(read()).toEqual(expected);
    else
      expect(read).toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/not both/) }),
      );
  });

  it.each(['10.0.0.1:7420', 'auth.example:7420'])('is insecure on loopback only, not to %s', (text) => {
    const read = () => readSettings({ insecure: true }, { env: { TAGPLANE_ADDRESS: text }, homeDir });
    expect(read).toThrow(`insecure: for loopback addresses only, and ${text} is none`);
    expect(readSettings({}, { env: { TAGPLANE_ADDRESS: text }, homeDir }).addressText).toBe(text);
  });

  it('from XDG_CONFIG_HOME, unless it is relative', async () => {
    const xdg = join(homeDir, 'xdg');
    await configure('address: xdg:1\n', xdg);
    expect(readSettings({}, { env: { XDG_CONFIG_HOME: xdg }, homeDir }).addressText).toBe('xdg:1');
    const relative = configFile({ env: { XDG_CONFIG_HOME: 'xdg' }, homeDir });
    expect(relative).toBe(join(homeDir, '.config', 'tagplane', 'config.yaml'));
  });

  it.each([
    ['addres: a:1', /^addres: unknown key \(in .*config\.yaml or the environment\)$/],
    ['address: nowhere', /^address: expected HOST:PORT \(in /],
    ['name: "a b"', /^name: expected letters, /],
    ['insecure: perhaps', /^insecure: expected true or false/],
    ['identity: ""', /^identity: expected the name of a file/],
    ['address: [', /config\.yaml: not YAML: /],
    ['- x', /config\.yaml: expected keys and values at the top$/],
  ])('refuses %j', async (text, expected) => {
    await configure(text);
    expect(() => readSettings({}, { env: {}, homeDir })).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(expected) }),
    );
  });

  it('names no file that is not there', () => {
    const env = { TAGPLANE_ADDRESS: 'foo' };
    expect(() => readSettings({}, { env, homeDir })).toThrow(
      'address: expected HOST:PORT (in the environment)',
    );
  });
});

describe('operatorPeer', () => {
  it.each([
    [{ USER: 'alice' }, 'alice'],
    [{ USER: 'DOMAIN\\Ünal Ö' }, 'DOMAIN--nal--'],
    [{ USER: '', LOGNAME: '_daemon' }, 'daemon'],
    [{ USER: '日本' }, 'operator'],
    [{ USER: 'x'.repeat(200) }, 'x'.repeat(128)],
    [{}, 'operator'],
  ])('of %j is %s, and is read as such', (env, name) => {
    const peer = operatorPeer(undefined, env);
    expect(peer).toEqual({ role: 'operator', name, proof: 'claimed' });
    expect(parsePeerClaim(peerText(peer))).toEqual(peer);
  });
});
