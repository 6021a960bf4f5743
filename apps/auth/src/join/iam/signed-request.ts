import { sha256Hex } from '@tagplane/identity';
import type { IamProof } from '@tagplane/protocol';
import type { JoinClaim } from '../verifier.ts';

export const GET_CALLER_IDENTITY = 'Action=GetCallerIdentity&Version=2011-06-15';

/** What is sent to STS: a POST to `/` with the body `GET_CALLER_IDENTITY`. */
export interface StsRequest {
  /** As it was signed. */
  readonly host: string;
  /** Without `host`, `content-length` and `connection`. */
  readonly headers: Readonly<Record<string, string>>;
}

export type SignedRequest =
  { readonly ok: true; readonly request: StsRequest } | { readonly ok: false; readonly problem: string };

const NONCE = 'x-tagplane-nonce';
const KEY = 'x-tagplane-key';
/** Must be signed when they are there: they say when, and how the body is to be read. */
const SIGNED_IF_SENT = ['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', 'content-type'];
const REQUIRED = ['host', NONCE, KEY, 'x-amz-date'];
/** What a request may be signed with; anything else could change how it is read on its way. */
const SIGNABLE = new Set([
  ...[...REQUIRED, ...SIGNED_IF_SENT, 'accept', 'content-length'],
  ...['x-amz-user-agent', 'amz-sdk-invocation-id', 'amz-sdk-request'],
]);

const MAX_HEADERS = 24;
/** A session token of STS may be a few thousand bytes long. */
const MAX_HEADER_BYTES = 8_192;
const MAX_TOTAL_BYTES = 16_384;
const HEADER_NAME = /^[a-z0-9-]{1,128}$/;
/** Visible ASCII and single spaces between: SigV4 signs runs of spaces as one. */
const HEADER_VALUE = /^[!-~]+(?: [!-~]+)*$/;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=\w{1,128}\/\d{8}\/[a-z0-9-]{1,32}\/sts\/aws4_request, ?SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*), ?Signature=[0-9a-f]{64}$/;
const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/**
 * The request that the proof stands for. Only what STS will find signed is sent on: whoever holds a
 * request that was signed for anything else can do nothing with it here.
 */
export function readSignedRequest(
  proof: Pick<IamProof, 'host' | 'headers'>,
  claim: Pick<JoinClaim, 'nonce' | 'publicKey'>,
): SignedRequest {
  const headers = new Map(Object.entries(proof.headers));
  const problem = headersProblem(headers);
  if (problem !== undefined) return bad(problem);
  const [, list] = AUTHORIZATION.exec(headers.get('authorization') ?? '') ?? [];
  if (list === undefined) return bad('its authorization header is no signature (SigV4) for sts');
  const signed = list.split(';');
  const wrong = signedProblem(signed, headers);
  if (wrong !== undefined) return bad(wrong);
  if (headers.get('host') !== proof.host) return bad('it is signed for another host');
  if (headers.get(NONCE) !== claim.nonce) return bad('it is signed for another challenge');
  if (headers.get(KEY) !== sha256Hex(claim.publicKey)) return bad('it is signed for another key');
  return { ok: true, request: { host: proof.host, headers: sentHeaders(signed, headers) } };
}

function headersProblem(headers: ReadonlyMap<string, string>): string | undefined {
  if (headers.size > MAX_HEADERS) return 'it has too many headers';
  let total = 0;
  for (const [name, value] of headers) {
    if (!HEADER_NAME.test(name)) return 'a header has a name that is not in lower case';
    if (value.length > MAX_HEADER_BYTES || !HEADER_VALUE.test(value))
      return `its header ${name} is malformed`;
    total += name.length + value.length;
  }
  if (total > MAX_TOTAL_BYTES) return 'its headers are too long';
  const length = headers.get('content-length');
  if (length !== undefined && length !== String(GET_CALLER_IDENTITY.length)) return 'its body is another one';
  const type = headers.get('content-type');
  return type === undefined || FORM.test(type) ? undefined : 'its content type is another one';
}

function signedProblem(signed: readonly string[], headers: ReadonlyMap<string, string>): string | undefined {
  if (new Set(signed).size !== signed.length) return 'a header is signed twice';
  const missing = REQUIRED.find((name) => !signed.includes(name));
  if (missing !== undefined) return `its header ${missing} is not signed`;
  const unsigned = SIGNED_IF_SENT.find((name) => headers.has(name) && !signed.includes(name));
  if (unsigned !== undefined) return `its header ${unsigned} is not signed`;
  const unknown = signed.find((name) => !SIGNABLE.has(name));
  if (unknown !== undefined) return 'a header is signed that does not belong there';
  const absent = signed.find((name) => !headers.has(name));
  return absent === undefined ? undefined : `its header ${absent} is signed, and not there`;
}

function sentHeaders(
  signed: readonly string[],
  headers: ReadonlyMap<string, string>,
): Record<string, string> {
  const sent: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    // STS answers in JSON when asked to; signing it is left to the caller.
    accept: 'application/json',
  };
  for (const name of [...signed, 'authorization']) sent[name] = headers.get(name) ?? '';
  delete sent['host'];
  delete sent['content-length'];
  return sent;
}

function bad(problem: string): SignedRequest {
  return { ok: false, problem };
}
