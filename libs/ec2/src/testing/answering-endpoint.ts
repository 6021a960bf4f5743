import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint that answers as it is told, in the same process. */
export interface AnsweringEndpoint {
  readonly url: string;
  /** The forms that it received, in order. */
  readonly received: readonly URLSearchParams[];
  /** May be replaced at any time. */
  answer: (form: URLSearchParams, response: ServerResponse) => unknown;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startAnsweringEndpoint(): Promise<AnsweringEndpoint> {
  const received: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      received.push(form);
      endpoint.answer(form, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint: AnsweringEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (_, response) => response.end(pageXml([])),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return endpoint;
}

/** An answer to DescribeInstances; `parts` is put into each of its instances. */
export function pageXml(ids: readonly string[], nextToken?: string, parts = ''): string {
  const instances = ids.map(
    (id) =>
      `<item><instanceId>${id}</instanceId><instanceState><name>running</name></instanceState>` +
      `<tagSet><item><key>__proto__</key><value/></item></tagSet>${parts}</item>`,
  );
  const token = nextToken === undefined ? '' : `<nextToken>${nextToken}</nextToken>`;
  return (
    '<DescribeInstancesResponse><reservationSet><item><ownerId>123456789012</ownerId>' +
    `<instancesSet>${instances.join('')}</instancesSet></item></reservationSet>${token}</DescribeInstancesResponse>`
  );
}

/** An error as EC2 words it. */
export function errorXml(code: string): string {
  return `<Response><Errors><Error><Code>${code}</Code></Error></Errors></Response>`;
}
