import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { NoAnswerError, ask, parseAnswer } from './ask.ts';
import { okAnswer, startFakeSocket } from './testing/fake-socket.ts';

const never = new AbortController().signal;

describe('ask', () => {
  it("is understood by Node's HTTP server, and understands it, in any size", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-'));
    const path = join(folder, 'x.sock');
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const echo = JSON.stringify({ method: request.method, url: request.url, body });
        response.writeHead(200, { 'content-length': Buffer.byteLength(echo) }).end(echo);
      });
    }).listen({ path });
    await once(server, 'listening');
    const body = 'ü'.repeat(100_000);
    expect(await ask(path, '/v1/x', body, never)).toEqual({ method: 'POST', url: '/v1/x', body });
    server.close();
    await once(server, 'close');
    await rm(folder, { recursive: true });
  });

  it('says which error of the system it was', async () => {
    await expect(ask('/nonexistent/x.sock', '/', '', never)).rejects.toMatchObject({
      name: 'NoAnswerError',
      code: 'ENOENT',
    });
  });

  it('waits no longer than it may', async () => {
    await using silent = await startFakeSocket(undefined);
    await expect(ask(silent.path, '/', '', AbortSignal.timeout(50))).rejects.toThrow('not answer in time');
    await expect(ask(silent.path, '/', '', AbortSignal.abort())).rejects.toThrow('not answer in time');
  });

  it('does not take more than it may', async () => {
    await using long = await startFakeSocket(okAnswer('x'.repeat(1024 * 1024)));
    await expect(ask(long.path, '/', '', never)).rejects.toThrow('its answer is too long');
  });
});

describe('parseAnswer', () => {
  const answer = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'));

  it('takes a whole answer', () => {
    expect(parseAnswer(Buffer.from(okAnswer({ a: 'ü' })))).toEqual({ a: 'ü' });
    expect(parseAnswer(answer(['HTTP/1.0 200 OK', 'content-length: 1', '', '7']))).toBe(7);
  });

  it.each([
    ['nothing', [], 'it answered no HTTP'],
    ['another protocol', ['SSH-2.0-x', '', '{}'], 'it answered no HTTP'],
    ['a refusal', ['HTTP/1.1 403 Forbidden', 'content-length: 2', '', '{}'], 'it answered 403'],
    ['a head alone', ['HTTP/1.1 200 OK', 'content-length: 2'], 'it answered no HTTP'],
    ['no length', ['HTTP/1.1 200 OK', '', '{}'], 'its answer is not whole'],
    ['too little', ['HTTP/1.1 200 OK', 'content-length: 3', '', '{}'], 'its answer is not whole'],
    ['too much', ['HTTP/1.1 200 OK', 'content-length: 1', '', '{}'], 'its answer is not whole'],
    ['no JSON', ['HTTP/1.1 200 OK', 'content-length: 2', '', '{]'], 'its answer is no JSON'],
  ])('refuses %s', (_, lines, why) => {
    expect(() => parseAnswer(answer(lines))).toThrow(new NoAnswerError(why));
  });
});
