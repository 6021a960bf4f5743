import { createServer } from 'node:http';
import { listen } from '@tagplane/runtime';

/** Instance metadata, by IMDSv2 only. */
export interface FakeMetadata extends Disposable {
  /** The variables that lead to it. */
  readonly env: Record<string, string>;
  /** Answers by path; a number is a status without a body. */
  readonly answers: Map<string, string | number>;
}

export async function startFakeMetadata(answers: Record<string, string | number>): Promise<FakeMetadata> {
  const map = new Map(Object.entries(answers));
  const server = createServer((request, response) => {
    if (request.url === '/latest/api/token' && request.method === 'PUT') {
      response.writeHead(200).end('metadata-token');
      return;
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== 'metadata-token') {
      response.writeHead(401).end();
      return;
    }
    const answer = map.get(request.url ?? '') ?? 404;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.writeHead(200).end(answer);
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` },
    answers: map,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
