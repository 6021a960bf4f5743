import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listen } from '@tagplane/runtime';
import { askMetadata, metadataEndpoint } from './imds.ts';

const DOCUMENT = {
  accountId: '123456789012',
  region: 'eu-central-1',
  instanceId: 'i-0123456789abcdef0',
  extra: 1,
};
const never = new AbortController().signal;

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(handle);
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${port}`;
}

/** Answers as EC2 does: a token by PUT with a TTL, everything else only with that token. */
function metadata(document: string, status = 200) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === '/latest/api/token') {
      const asked =
        request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60';
      response.writeHead(asked ? 200 : 400).end('secret-token');
    } else if (request.headers['x-aws-ec2-metadata-token'] !== 'secret-token') {
      response.writeHead(401).end();
    } else {
      response
        .writeHead(request.url === '/latest/dynamic/instance-identity/document' ? status : 404)
        .end(document);
    }
  };
}

describe('askMetadata', () => {
  it('finds the instance with a token', async () => {
    const endpoint = await serve(metadata(JSON.stringify(DOCUMENT)));
    expect(await askMetadata(endpoint, never)).toEqual({
      kind: 'found',
      instance: { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' },
    });
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, RegExp]>([
    ['is switched off', (_, response) => response.writeHead(403).end(), /switched off.*403/],
    ['knows no tokens', (_, response) => response.writeHead(404).end(), /404/],
    ['has no document', metadata('', 404), /404/],
    ['fails', (_, response) => response.writeHead(500).end(), /500/],
    ['answers no JSON', metadata('<html>'), /no identity document/],
    [
      'names no instance',
      metadata('{"accountId": "1", "region": "r", "instanceId": "i"}'),
      /no identity document/,
    ],
    ['answers without end', metadata('x'.repeat(100_000)), /too long/],
    [
      'sends elsewhere',
      (_, response) => response.writeHead(302, { location: '/' }).end(),
      /cannot be reached/,
    ],
    ['never answers', () => undefined, /did not answer.*hop limit/],
  ])('says why there is none when it %s', async (_, handle, reason) => {
    const answer = await askMetadata(await serve(handle), never);
    expect(answer).toEqual({ kind: 'none', reason: expect.stringMatching(reason) });
  });

  it('says why when nothing is there', async () => {
    const endpoint = await serve(() => undefined);
    server?.close();
    const answer = await askMetadata(endpoint, never);
    expect(answer).toEqual({
      kind: 'none',
      reason: expect.stringMatching(/cannot be reached.*ECONNREFUSED/),
    });
  });

  it('rejects when it is aborted', async () => {
    const endpoint = await serve(() => undefined);
    const stop = new AbortController();
    const answer = askMetadata(endpoint, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(answer).rejects.toThrow('stopped');
  });
});

describe('metadataEndpoint', () => {
  it.each([
    [{}, 'http://169.254.169.254'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://localhost:1338/' }, 'http://localhost:1338'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: '' }, 'http://169.254.169.254'],
    [{ AWS_EC2_METADATA_DISABLED: 'true' }, undefined],
    [{ AWS_EC2_METADATA_DISABLED: 'TRUE', AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://x' }, undefined],
    [{ AWS_EC2_METADATA_DISABLED: 'false' }, 'http://169.254.169.254'],
  ])('%j', (env, expected) => {
    expect(metadataEndpoint(env)).toBe(expected);
  });
});
