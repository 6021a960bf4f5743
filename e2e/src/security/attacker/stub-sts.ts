import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the endpoint answers; `honest` hands every request on to another one. */
export type StsMood = 'honest' | 'forbidden' | 'broken' | 'garbage' | 'silent' | 'endless' | 'elsewhere';

const ANSWERS: Readonly<Partial<Record<StsMood, { readonly status: number; readonly body: string }>>> = {
  forbidden: {
    status: 403,
    body: '<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>',
  },
  broken: { status: 500, body: 'internal failure' },
  garbage: { status: 200, body: '<<<{"Arn": "arn:aws:sts::123456789012:assumed-role/web/i-0"' },
};

/** An STS endpoint whose mood can be changed between requests. */
export interface StubSts extends AsyncDisposable {
  readonly url: string;
  /** As `host` of a signed request. */
  readonly host: string;
  mood: StsMood;
  /** Requests that came, in all moods. */
  readonly requests: number;
}

/** @param honestUrl who answers in the mood `honest` */
export async function startStubSts(honestUrl: string): Promise<StubSts> {
  const stub = { mood: 'honest' as StsMood, requests: 0 };
  const server = createServer((incoming, response) => {
    stub.requests += 1;
    response.on('error', () => undefined);
    answer(stub.mood, honestUrl, incoming, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(stub, {
    host,
    url: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

function answer(mood: StsMood, honestUrl: string, incoming: IncomingMessage, response: ServerResponse): void {
  const fixed = ANSWERS[mood];
  if (fixed !== undefined) response.writeHead(fixed.status, { 'content-type': 'text/xml' }).end(fixed.body);
  else if (mood === 'honest') forward(honestUrl, incoming, response);
  else if (mood === 'elsewhere') response.writeHead(307, { location: honestUrl }).end();
  else if (mood === 'endless') drip(response);
  else incoming.resume();
}

function forward(honestUrl: string, incoming: IncomingMessage, response: ServerResponse): void {
  // The headers are handed on as they came, or the signature would not fit.
  const onward = request(
    honestUrl,
    { method: incoming.method ?? 'POST', headers: incoming.headers },
    (real) => {
      response.writeHead(real.statusCode ?? 502, real.headers);
      real.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  incoming.pipe(onward);
}

/** A body without end, at a mebibyte every ten milliseconds. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/xml' });
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const timer = setInterval(() => response.write(chunk), 10);
  response.on('close', () => {
    clearInterval(timer);
  });
}
