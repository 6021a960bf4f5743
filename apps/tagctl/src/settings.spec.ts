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
  it('without anything said', () => {
    expect(readSettings({}, { env: { USER: 'alice' }, homeDir })).toEqual({
      address: { host: '127.0.0.1', port: 7420 },
      addressText: '127.0.0.1:7420',
      peer: { role: 'operator', name: 'alice', proof: 'claimed' },
      timeoutMs: 10_000,
    });
  });

  it('flag over variable over file', async () => {
    await configure('address: file:1\nname: from-file\n');
    const at = (flags: Parameters<typeof readSettings>[0], env: Record<string, string>): string[] => {
      const { addressText, peer } = readSettings(flags, { env, homeDir });
      return [addressText, peer.name];
    };
    const env = { TAGPLANE_ADDRESS: 'env:2', TAGPLANE_NAME: 'from-env' };
    expect(at({}, {})).toEqual(['file:1', 'from-file']);
    expect(at({}, env)).toEqual(['env:2', 'from-env']);
    expect(at({ address: { host: 'flag', port: 3 }, name: 'from-flag' }, env)).toEqual([
      'flag:3',
      'from-flag',
    ]);
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
