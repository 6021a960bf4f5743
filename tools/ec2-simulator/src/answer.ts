import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Fault } from './faults.ts';
import type { ServiceResponse } from './service.ts';

/** Writes an answer, up to where a fault breaks it. */
export async function writeAnswer(
  response: ServerResponse,
  status: number,
  answer: ServiceResponse,
  { cutAfter, truncateAfter }: Pick<Fault, 'cutAfter' | 'truncateAfter'> = {},
): Promise<void> {
  response.statusCode = status;
  response.setHeader('content-type', answer.contentType);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  const bytes = cutAfter ?? truncateAfter;
  const body = bytes === undefined ? answer.body : headOf(answer.body, bytes);
  const source = Readable.from(body, { objectMode: true, highWaterMark: 1 });
  await pipeline(source, response, { end: cutAfter === undefined });
  if (cutAfter !== undefined) await cut(response);
}

/** After what was written has left: the client shall see a beginning. */
async function cut(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write('', () => {
      resolve();
    });
  });
  response.destroy();
}

function* headOf(pieces: Iterable<string>, bytes: number): Generator<Buffer, void, undefined> {
  let left = bytes;
  for (const piece of pieces) {
    if (left <= 0) return;
    const head = Buffer.from(piece).subarray(0, left);
    left -= head.length;
    yield head;
  }
}
