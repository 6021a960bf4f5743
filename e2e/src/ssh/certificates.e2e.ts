import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { importSource } from '../docs/programs.ts';
import { mustRun } from '../pack/run.ts';
import { ANYWHERE } from './anywhere.ts';
import { makeKey } from './user-ca.ts';

/** What is compared of the agent's own parser with what ssh-keygen was told. */
interface Reader {
  readonly readCertificate: (text: string) => {
    readonly type: string;
    readonly serial: bigint;
    readonly keyId: string;
    readonly principals: readonly string[];
    readonly criticalOptions: ReadonlyMap<string, Buffer>;
    readonly extensions: ReadonlyMap<string, Buffer>;
  };
}

let folder: string;
let reader: Reader;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-certificates-'));
  reader = (await importSource('apps/agent/src/ssh/certificate.ts')) as Reader;
  await makeKey(join(folder, 'ca'));
  await makeKey(join(folder, 'key'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What can be said on ssh-keygen's command line: no zero byte, and no comma within a principal. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((value) => !/[\0,]/.test(value) && !value.startsWith('-'));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}@[a-z]{1,10}$/);
const said = fc.record({
  host: fc.boolean(),
  serial: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  keyId: text,
  principals: fc.uniqueArray(text, { minLength: 1, maxLength: 10 }),
  critical: fc.uniqueArray(name, { maxLength: 3 }),
  extensions: fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 3 }),
});

describe('any certificate that ssh-keygen makes', () => {
  it('is read as it was meant', async () => {
    const property = fc.asyncProperty(said, async (meant) => {
      const args = [
        ...['-q', '-s', join(folder, 'ca'), '-I', meant.keyId, '-z', String(meant.serial)],
        ...['-n', meant.principals.join(','), ...(meant.host ? ['-h'] : []), '-O', 'clear'],
        ...meant.critical.flatMap((key) => ['-O', `critical:${key}`]),
        ...meant.extensions.flatMap(([key, value]) => ['-O', `extension:${key}=${value}`]),
      ];
      await mustRun('ssh-keygen', [...args, join(folder, 'key.pub')], ANYWHERE);
      const [, certificate = ''] = (await readFile(join(folder, 'key-cert.pub'), 'utf8')).split(' ');
      const read = reader.readCertificate(certificate.trim());
      expect(read).toMatchObject({
        ...{ type: meant.host ? 'host' : 'user', serial: meant.serial },
        ...{ keyId: meant.keyId, principals: meant.principals },
      });
      expect(new Set(read.criticalOptions.keys())).toEqual(new Set(meant.critical));
      const extensions = [...read.extensions].map(([key, value]) => [key, value.subarray(4).toString()]);
      expect(new Map(extensions as [string, string][])).toEqual(new Map(meant.extensions));
    });
    await fc.assert(property, { numRuns: 100 });
  }, 240_000);
});
