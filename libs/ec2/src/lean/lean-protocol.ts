import { setImmediate as nextTurn } from 'node:timers/promises';
import { AwsEc2QueryProtocol } from '@aws-sdk/core/protocols';
import { AnswerBytes } from './answer-bytes.ts';
import { AnswerScan } from './answer-scan.ts';
import type { ScanResult } from './answer-scan.ts';

/** A millisecond of scanning or two: whatever else waits gets its turn after each. */
const SLICE_BYTES = 512 * 1024;

type Deserialize = AwsEc2QueryProtocol['deserializeResponse'];
/** As the SDK's handlers give it. */
type Body = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** An answer that is not to be relied on, though it came with a status of success. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
  /** To the SDK: it was cut off on its way, or comes from something in between; ask again. */
  readonly $retryable = { throttling: false };
}

/**
 * EC2's protocol of the SDK, which reads of a DescribeInstances answer only what a scan needs:
 * nine tenths of a scan's CPU go into parsing the rest. Errors, other operations, and documents that
 * `AnswerScan` finds odd are the SDK's to read.
 */
export class LeanEc2Protocol extends AwsEc2QueryProtocol {
  override async deserializeResponse<Output extends { $metadata: object }>(
    ...[operation, context, response]: Parameters<Deserialize>
  ): Promise<Output> {
    if (response.statusCode >= 300 || !/(^|#)DescribeInstances$/.test(operation.name)) {
      return await super.deserializeResponse(operation, context, response);
    }
    using bytes = new AnswerBytes();
    const result = await readAnswer(response.body as Body, bytes);
    switch (result.is) {
      case 'complete':
        return { ...result.answer, $metadata: this.deserializeMetadata(response) } as never;
      case 'refused':
        throw new MalformedResponse(result.reason);
      default:
        return await this.#parseWhole(operation, context, Object.assign(response, { body: bytes.whole() }));
    }
  }

  async #parseWhole<Output extends { $metadata: object }>(
    ...parts: Parameters<Deserialize>
  ): Promise<Output> {
    try {
      return await super.deserializeResponse(...parts);
    } catch (cause) {
      // The SDK's error holds the whole body: megabytes, for as long as anybody holds the error.
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MalformedResponse(reason);
    }
  }
}

async function readAnswer(body: Body, bytes: AnswerBytes): Promise<ScanResult> {
  const scan = new AnswerScan();
  for await (const chunk of chunksOf(body)) {
    let from = bytes.length;
    bytes.append(chunk);
    for (; bytes.length - from > SLICE_BYTES; from += SLICE_BYTES) {
      scan.advance(bytes.buffer, from + SLICE_BYTES);
      await nextTurn();
    }
    scan.advance(bytes.buffer, bytes.length);
  }
  return scan.finish(bytes.length);
}

function chunksOf(body: Body): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (body === undefined) return [];
  return body instanceof Uint8Array ? [body] : body;
}
