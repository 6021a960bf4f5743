import { createServer } from 'node:net';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import { askAgent } from './local-client.ts';
import { BadQuestionError } from './local-question.ts';
import type { Question } from './local-question.ts';
import { serveLocally } from './local-socket.ts';

let directory: string;
let path: string;
const never = new AbortController().signal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
  path = join(directory, 'agent.sock');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function echo(question: Question): unknown {
  if ('body' in question) return { body: question.body };
  if (question.query.has('bad')) throw new BadQuestionError('bad: there is no such thing');
  if (question.query.has('broken')) throw new TypeError('broken');
  return Object.fromEntries(question.query);
}

function serve(): Promise<AsyncDisposable> {
  return serveLocally({
    path,
    routes: { '/v1/x': () => ({ a: 'ü' }) },
    questions: { '/v1/echo': echo },
    log: silentLogger(),
  });
}

/** A socket file as a killed process leaves it. */
async function leaveDeadSocket(): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
}

describe('the local socket', () => {
  it('answers its routes, is its owner only, and is gone when closed', async () => {
    {
      await using _server = await serve();
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await askAgent(path, '/v1/x', never)).toEqual({ a: 'ü' });
      expect(await askAgent(path, '/v1/x?query=1', never)).toEqual({ a: 'ü' });
      await expect(askAgent(path, '/v1/y', never)).rejects.toThrow(/404/);
      await expect(askAgent(path, '/toString', never)).rejects.toThrow(/404/);
    }
    await expect(askAgent(path, '/v1/x', never)).rejects.toThrow(/no agent is running: there is no socket/);
  });

  it('refuses other methods, and survives a malformed request', async () => {
    await using _server = await serve();
    const call = request({ socketPath: path, path: '/v1/x', method: 'POST' }).end();
    const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(405);
    const odd = request({ socketPath: path, path: '//' }).end();
    const [answer] = (await once(odd, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(404);
    expect(await askAgent(path, '/v1/x', never)).toEqual({ a: 'ü' });
  });

  it('answers questions by query and by JSON, and refuses those that are none', async () => {
    await using _server = await serve();
    expect(await askAgent(path, '/v1/echo?a=%C3%BC&b=', never)).toEqual({ a: 'ü', b: '' });
    expect(await askAgent(path, '/v1/echo', never, { a: ['ü'] })).toEqual({ body: { a: ['ü'] } });
    await expect(askAgent(path, '/v1/echo?bad', never)).rejects.toMatchObject({
      name: 'QuestionRefusedError',
      message: 'bad: there is no such thing',
    });
    await expect(askAgent(path, '/v1/echo', never, 'x'.repeat(600_000))).rejects.toThrow();
    await expect(askAgent(path, '/v1/echo?broken', never)).rejects.toThrow(/cannot be asked/);
    await expect(askAgent(path, `/v1/echo?a=${'x'.repeat(10_000)}`, never)).rejects.toThrow(/431/);
    expect(await askAgent(path, '/v1/x', never)).toEqual({ a: 'ü' });
  });

  it('replaces the socket of a process that is gone', async () => {
    await leaveDeadSocket();
    expect((await stat(path)).isSocket()).toBe(true);
    await expect(askAgent(path, '/v1/x', never)).rejects.toThrow(/nothing listens/);
    await using _server = await serve();
    expect(await askAgent(path, '/v1/x', never)).toEqual({ a: 'ü' });
  });

  it('leaves the socket of a living process alone', async () => {
    const other = createServer();
    other.listen({ path });
    await once(other, 'listening');
    await expect(serve()).rejects.toMatchObject({
      name: 'ConfigError',
      message: `socket: ${path} is in use by a running agent`,
    });
    expect((await stat(path)).isSocket()).toBe(true);
    other.close();
  });

  it.each([
    ['a file', () => writeFile(path, '')],
    ['a link', () => symlink('/nowhere', path)],
  ])('leaves %s in its place alone', async (_, make) => {
    await make();
    await expect(serve()).rejects.toThrow(/^socket: .* is there and no socket/);
  });

  it('names the key when it cannot be made', async () => {
    path = join(directory, 'missing', 'agent.sock');
    await expect(serve()).rejects.toThrow(/^socket: .* cannot be made/);
  });
});
