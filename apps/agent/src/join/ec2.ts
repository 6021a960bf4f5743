import type { JoinMethod } from '@tagplane/protocol';
import type { Environment } from '@tagplane/runtime';
import { MetadataRefusedError } from '../imds-session.ts';
import { IDENTITY_DOCUMENT } from '../imds.ts';
import { withMetadata } from './metadata.ts';

const SIGNED = '/latest/dynamic/instance-identity/rsa2048';
const SIGNATURE = '/latest/dynamic/instance-identity/signature';
const NOT_FOUND = 404;

/**
 * The instance identity document, signed by AWS: as PKCS#7 under the key of 2,048 bits, or where there is
 * none, with the signature beside it.
 *
 * @throws Error when instance metadata does not answer
 */
export async function ec2Proof(env: Environment, signal: AbortSignal): Promise<JoinMethod> {
  return await withMetadata(env, signal, async (metadata) => {
    const get = async (path: string): Promise<Buffer> => {
      const { status, body } = await metadata.get(path);
      if (status !== 200) throw new MetadataRefusedError(status);
      return body;
    };
    const pkcs7 = await metadata.get(SIGNED);
    if (pkcs7.status === 200) {
      const signature = { case: 'pkcs7' as const, value: pkcs7.body.toString('utf8') };
      return { case: 'ec2', value: { signature } };
    }
    if (pkcs7.status !== NOT_FOUND) throw new MetadataRefusedError(pkcs7.status);
    const signature = { case: 'rsa' as const, value: (await get(SIGNATURE)).toString('utf8') };
    return { case: 'ec2', value: { document: await get(IDENTITY_DOCUMENT), signature } };
  });
}
