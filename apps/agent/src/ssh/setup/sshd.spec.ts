import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FakeSshd } from '../testing/fake-sshd.ts';
import { fakeSshd } from '../testing/fake-sshd.ts';
import { configProblem, effectiveConfig, parseEffective } from './sshd.ts';

const never = new AbortController().signal;
let fake: FakeSshd;

beforeEach(async () => {
  fake = await fakeSshd();
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

describe('sshd', () => {
  it('says what is in force', async () => {
    await fake.says('port 22\ntrustedusercakeys /etc/ssh/ca.pub\nbanner\nport 23\n');
    expect(await configProblem(fake.place.sshd, never)).toBeUndefined();
    expect(await effectiveConfig(fake.place.sshd, 'root', never)).toEqual(
      new Map([
        ['port', '22'],
        ['trustedusercakeys', '/etc/ssh/ca.pub'],
        ['banner', ''],
      ]),
    );
  });

  it('says what is wrong, in its own words on one line', async () => {
    await fake.says('', 'a: line 1\n\nb: terminating');
    expect(await configProblem(fake.place.sshd, never)).toBe('a: line 1; b: terminating');
    expect(await effectiveConfig(fake.place.sshd, 'root', never)).toBe('a: line 1; b: terminating');
  });

  it('is helped with what it says where it was never started', async () => {
    await fake.says('', 'Missing privilege separation directory: /run/sshd');
    expect(await configProblem(fake.place.sshd, never)).toContain('mkdir -p /run/sshd');
  });
});

describe('parseEffective', () => {
  it('takes the first of two, and any case', () => {
    expect(parseEffective('HostKey /a\nhostkey /b\n')).toEqual(new Map([['hostkey', '/a']]));
    expect(parseEffective('')).toEqual(new Map());
  });
});
