import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { ConfigError } from '@tagplane/runtime';
import { createDocumentSigner } from '../../testing/aws-documents.ts';
import { readRegionCertificates } from './region-certificates.ts';

const validity = { notBefore: new Date('2026-01-01'), notAfter: new Date('2030-01-01') };

describe('readRegionCertificates', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function file(text: string): string {
    const path = join(folder, `${Math.random()}.pem`);
    writeFileSync(path, text);
    return path;
  }

  it('reads all of a file, with what stands around them', async () => {
    const [a, b] = await Promise.all([createDocumentSigner(validity), createDocumentSigner(validity)]);
    const path = file(`RSA:\n${a.certificate}\nRSA-2048:\n${b.certificate}\n`);
    const read = readRegionCertificates({ 'eu-central-1': path, 'eu-west-1': file(a.certificate) });
    expect(read.get('eu-central-1')?.map(({ subject }) => subject)).toEqual(
      Array.from({ length: 2 }, () => 'CN=AWS of the tests'),
    );
    expect(read.get('eu-west-1')).toHaveLength(1);
    expect(read.get('us-east-1')).toBeUndefined();
  });

  it.each([
    ['is not there', () => join(folder, 'nowhere.pem'), 'cannot be read'],
    ['is empty', () => file(''), 'holds no RSA certificate'],
    ['holds a key', () => file(createKey().privateKey), 'holds no RSA certificate'],
    [
      'holds what is no certificate',
      () => file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      'cannot be read',
    ],
  ])('names the key of a file that %s', (_what, path, reason) => {
    const read = () => readRegionCertificates({ 'eu-central-1': path() });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/^join\.ec2\.certificates\.eu-central-1: /);
    expect(read).toThrow(reason);
  });
});
