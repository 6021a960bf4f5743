import { createHmac, timingSafeEqual } from 'node:crypto';
import { AwsError } from '../aws-error.ts';

/** NextTokens: opaque, good for a while, and only for the query they came from. Nothing is kept for them. */
export interface PageTokens {
  /**
   * @param position what the next page begins after
   * @param page the next page's number, from 2
   */
  issue(query: string, position: number, now: number, page?: number): string;
  /** The position in a token of this query. Throws AwsError for any other text. */
  read(query: string, token: string, now: number): number;
}

const TAG_BYTES = 16;
const POSITION_BYTES = 8;
const EXPIRY_BYTES = 8;
const PAGE_BYTES = 4;
const PAGE_AT = TAG_BYTES + POSITION_BYTES + EXPIRY_BYTES;
const TOKEN_BYTES = PAGE_AT + PAGE_BYTES;

/** The number of the page that a token asks for; 1 for what is no token. */
export function pageOfToken(token: string): number {
  const bytes = Buffer.from(token, 'base64url');
  return bytes.length === TOKEN_BYTES ? bytes.readUInt32BE(PAGE_AT) : 1;
}

/** @param ttlMs how long a token is good for */
export function createPageTokens(key: string, ttlMs: number): PageTokens {
  const seal = (query: string, body: Buffer): Buffer =>
    createHmac('sha256', key).update(body).update(query).digest().subarray(0, TAG_BYTES);
  return {
    issue: (query, position, now, page = 2) => {
      const body = Buffer.alloc(POSITION_BYTES + EXPIRY_BYTES + PAGE_BYTES);
      body.writeUInt32BE(page, POSITION_BYTES + EXPIRY_BYTES);
      body.writeDoubleBE(position, 0);
      body.writeDoubleBE(now + ttlMs, POSITION_BYTES);
      return Buffer.concat([seal(query, body), body]).toString('base64url');
    },
    read: (query, token, now) => {
      const bytes = Buffer.from(token, 'base64url');
      const body = bytes.subarray(TAG_BYTES);
      if (
        bytes.length !== TOKEN_BYTES ||
        bytes.toString('base64url') !== token ||
        !timingSafeEqual(bytes.subarray(0, TAG_BYTES), seal(query, body)) ||
        body.readDoubleBE(POSITION_BYTES) < now
      ) {
        throw new AwsError('InvalidNextToken', 'The token is not valid for this request, or it has expired.');
      }
      return body.readDoubleBE(0);
    },
  };
}
