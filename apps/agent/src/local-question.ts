import type { IncomingMessage } from 'node:http';

/** What is asked with: a query, or the JSON of a body. */
export type Question = { readonly query: URLSearchParams } | { readonly body: unknown };

/** A question that cannot be answered. The message is one line, for who asked. */
export class BadQuestionError extends Error {
  override readonly name = 'BadQuestionError';
}

/** All roles of a certificate, and the traits that go with them, are less. */
const MAX_BODY_BYTES = 512 * 1024;

/** @throws BadQuestionError when the body is no JSON, or too long */
export async function readQuestion(request: IncomingMessage): Promise<Question> {
  if (request.method !== 'POST') {
    const [, query = ''] = (request.url ?? '').split('?', 2);
    return { query: new URLSearchParams(query) };
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new BadQuestionError(`longer than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  try {
    return { body: JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown };
  } catch {
    throw new BadQuestionError('the body is not JSON');
  }
}
