import { caPinsField } from '@tagplane/credentials';
import { formatAddress, parseAddress } from '@tagplane/runtime';
import { z } from 'zod';

/** What is written into a shell script and into an SSM document: nothing that means anything there. */
const URL_TEXT = /^https?:\/\/[A-Za-z0-9._~:/?&=%{}@+,-]{1,1000}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** A document's name or ARN. */
const DOCUMENT = /^[A-Za-z0-9_./:-]{3,200}$/;

/** AWS's own document that runs a shell script. */
export const SHELL_DOCUMENT = 'AWS-RunShellScript';

const urlField = z.string().regex(URL_TEXT, 'expected https://… without spaces and quotes');
const sha256Field = z.string().regex(SHA256, 'expected the SHA-256: 64 hexadecimal digits, lower case');

const agentField = z
  .strictObject({
    installer_url: urlField,
    installer_sha256: sha256Field,
    url: urlField,
    sha256: z.strictObject({ x64: sha256Field.optional(), arm64: sha256Field.optional() }),
  })
  .superRefine(({ url, sha256 }, context) => {
    const hashes = Object.values(sha256).filter((hash) => hash !== undefined).length;
    if (hashes === 0) {
      context.addIssue({ code: 'custom', path: ['sha256'], message: 'expected x64, arm64 or both' });
    }
    if (hashes > 1 && !url.includes('{arch}')) {
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message: 'expected {arch} in it, for x64 and arm64',
      });
    }
  });

const authAddressField = z.string().transform((text, context) => {
  const address = parseAddress(text);
  if (address !== undefined) return formatAddress(address);
  context.addIssue({ code: 'custom', message: 'expected HOST:PORT' });
  return z.NEVER;
});

/** `enroll` of an entry of `aws`: how agents come to its instances. */
export const enrollField = z.strictObject({
  document: z
    .string()
    .regex(DOCUMENT, 'expected the name or the ARN of an SSM document')
    .default(SHELL_DOCUMENT),
  join: z.enum(['token', 'iam']).default('token'),
  agent: agentField,
  auth_addresses: z.array(authAddressField).min(1, 'expected at least one address').max(32),
  ca_pins: caPinsField,
  cap_per_minute: z.int().min(1).max(1_000).default(60),
  max_in_flight: z.int().min(1).max(10_000).default(200),
});

export type EnrollSettings = z.output<typeof enrollField>;

/** What is wrong with `enroll` as the rest of the configuration is: agents are let in by certificates only. */
export function enrollIssues(
  mode: 'mutual' | 'insecure',
  blocks: readonly { readonly enroll?: EnrollSettings | undefined }[],
): { readonly path: (string | number)[]; readonly message: string }[] {
  if (mode === 'mutual') return [];
  const message = 'nothing is enrolled without TLS: there is nothing to join by';
  return blocks.flatMap(({ enroll }, index) =>
    enroll === undefined ? [] : [{ path: ['aws', index, 'enroll'], message }],
  );
}
