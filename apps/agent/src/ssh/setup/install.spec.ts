import { stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FakeSshd } from '../testing/fake-sshd.ts';
import { fakeSshd } from '../testing/fake-sshd.ts';
import { dropInText } from './drop-in.ts';
import { install, uninstall } from './install.ts';

const DROP_IN = {
  program: ['/bin/tagplane-agent'],
  user: 'nobody',
  socket: '/run/a.sock',
  caKeys: undefined,
};
const OTHER = { ...DROP_IN, user: 'sshd-ask' };
const never = new AbortController().signal;
let fake: FakeSshd;

beforeEach(async () => {
  fake = await fakeSshd();
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

describe('install', () => {
  it('writes the file once, for all to read, and replaces its own', async () => {
    const { place } = fake;
    expect(await install(place, DROP_IN, never)).toEqual({ done: 'written' });
    expect(await fake.content()).toBe(dropInText(DROP_IN));
    expect((await stat(place.file)).mode & 0o777).toBe(0o644);
    expect(await install(place, DROP_IN, never)).toEqual({ done: 'unchanged' });
    expect(await install(place, OTHER, never)).toEqual({ done: 'written' });
    expect(await fake.content()).toBe(dropInText(OTHER));
  });

  it('puts the old state back when sshd refuses the new one', async () => {
    await fake.refusesTheFile();
    expect(await install(fake.place, DROP_IN, never)).toEqual({ done: 'refused', problem: 'bad line' });
    expect(await fake.content()).toBeUndefined();
    await writeFile(fake.place.file, dropInText(OTHER));
    expect(await install(fake.place, DROP_IN, never)).toEqual({ done: 'refused', problem: 'bad line' });
    expect(await fake.content()).toBe(dropInText(OTHER));
  });

  it('does nothing where sshd refuses its configuration already', async () => {
    await fake.says('', 'line 3: bad');
    expect(await install(fake.place, DROP_IN, never)).toEqual({ done: 'refused', problem: 'line 3: bad' });
    expect(await fake.content()).toBeUndefined();
  });

  it('does nothing where there is no sshd', async () => {
    const place = { ...fake.place, sshd: { program: '/nonexistent/sshd', config: '/nonexistent/c' } };
    const done = await install(place, DROP_IN, never);
    expect(done).toEqual({ done: 'refused', problem: 'there is no /nonexistent/sshd' });
    expect(await fake.content()).toBeUndefined();
  });

  it("leaves another's file alone", async () => {
    await writeFile(fake.place.file, 'PermitRootLogin no\n');
    expect(await install(fake.place, DROP_IN, never)).toMatchObject({ done: 'refused' });
    expect(await uninstall(fake.place, never)).toMatchObject({ done: 'refused' });
    expect(await fake.content()).toBe('PermitRootLogin no\n');
  });
});

describe('uninstall', () => {
  it('removes its own file', async () => {
    await install(fake.place, DROP_IN, never);
    expect(await uninstall(fake.place, never)).toEqual({ done: 'removed' });
    expect(await fake.content()).toBeUndefined();
    expect(await uninstall(fake.place, never)).toEqual({ done: 'absent' });
  });

  it('puts it back when sshd wants it', async () => {
    await install(fake.place, DROP_IN, never);
    await fake.says('');
    const { program } = fake.place.sshd;
    await writeFile(program, `#!/bin/sh\n[ -e '${fake.place.file}' ] || { echo needed >&2; exit 255; }\n`);
    expect(await uninstall(fake.place, never)).toEqual({ done: 'refused', problem: 'needed' });
    expect(await fake.content()).toBe(dropInText(DROP_IN));
  });

  it('removes it also where sshd refuses its configuration already', async () => {
    await writeFile(fake.place.file, dropInText(DROP_IN));
    await fake.says('', 'line 3: bad');
    expect(await uninstall(fake.place, never)).toEqual({ done: 'removed' });
    expect(await fake.content()).toBeUndefined();
  });
});
