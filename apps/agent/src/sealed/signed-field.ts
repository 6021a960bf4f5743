import type { SignedStatement } from '@tagplane/credentials';
import * as z from 'zod';

const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

/** A signed statement, in a sealed file. */
export const signedField = z
  .strictObject({
    statement: bytes,
    signature: bytes,
    certificates: z.array(bytes),
    proof: z.strictObject({ position: z.int(), hashes: z.array(bytes) }).optional(),
  })
  .transform((signed): SignedStatement => signed);

export function encodeSigned(signed: SignedStatement): z.input<typeof signedField> {
  return {
    statement: base64(signed.statement),
    signature: base64(signed.signature),
    certificates: signed.certificates.map(base64),
    ...(signed.proof && {
      proof: { position: signed.proof.position, hashes: signed.proof.hashes.map(base64) },
    }),
  };
}

function base64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64');
}
