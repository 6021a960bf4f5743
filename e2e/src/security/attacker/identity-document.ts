import { execFile } from 'node:child_process';
import { createSign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { InstanceKey } from '@tagplane/identity';

const run = promisify(execFile);

/** Signs instance identity documents as AWS does for a region, with a certificate made for the occasion. */
export class DocumentSigner implements AsyncDisposable {
  /** PEM: what the auth service is configured to trust for the region. */
  readonly certificateFile: string;
  readonly privateKey: string;
  readonly #folder: string;

  private constructor(folder: string, privateKey: string) {
    this.#folder = folder;
    this.certificateFile = join(folder, 'certificate.pem');
    this.privateKey = privateKey;
  }

  static async create(): Promise<DocumentSigner> {
    const folder = await mkdtemp(join(tmpdir(), 'tagplane-documents-'));
    const keyFile = join(folder, 'key.pem');
    const subject = '/C=US/ST=Washington/L=Seattle/O=Not really Amazon';
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '365', '-subj', subject],
      ...['-keyout', keyFile, '-out', join(folder, 'certificate.pem')],
    ]);
    return new DocumentSigner(folder, await readFile(keyFile, 'utf8'));
  }

  /** Base64 of the RSA signature (SHA-256) over the document. */
  rsa(document: string): string {
    return createSign('sha256').update(document).sign(this.privateKey, 'base64');
  }

  /** Base64 of a PKCS#7 structure that holds the document and its signature, over attributes as EC2's is. */
  async pkcs7(document: string, { attributes = true } = {}): Promise<string> {
    const input = join(this.#folder, 'document.json');
    await writeFile(input, document);
    const { stdout } = await run(
      'openssl',
      [
        ...[
          'smime',
          '-sign',
          '-binary',
          '-nodetach',
          '-nocerts',
          ...(attributes ? [] : ['-noattr']),
          '-md',
          'sha256',
        ],
        ...['-outform', 'DER', '-in', input],
        ...['-signer', this.certificateFile, '-inkey', join(this.#folder, 'key.pem')],
      ],
      { encoding: 'buffer' },
    );
    return stdout.toString('base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The document as instance metadata gives it. */
export function identityDocument({ account, region, instance }: InstanceKey, pendingTime: Date): string {
  const document = {
    accountId: account,
    architecture: 'x86_64',
    availabilityZone: `${region}a`,
    imageId: 'ami-0abcdef1234567890',
    instanceId: instance,
    instanceType: 't3.micro',
    pendingTime: pendingTime.toISOString().replace(/\.\d+/, ''),
    privateIp: '10.0.0.7',
    region,
    version: '2017-09-30',
  };
  return JSON.stringify(document, null, 2);
}
