import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { ClosedOutputError } from './io.ts';
import { runTagctl } from './run.ts';
import { run, testIo } from './testing/capture.ts';
import { FakeAuth, serveAuth } from './testing/fake-auth.ts';
import { sampleNode } from './testing/samples.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

describe('a bad command line', () => {
  it.each([
    [['nodes', 'lss'], "tagctl: unknown command 'lss' (Did you mean ls?); see 'tagctl --help'\n"],
    [['nodes', 'ls', '--limt', '1'], /^tagctl: unknown option '--limt' .*--limit.*; see 'tagctl --help'\n$/],
    [['nodes', 'ls', '--formt', 'json'], "tagctl: unknown option '--formt'; see 'tagctl --help'\n"],
    [['nodes', 'ls', '--format', 'xml'], /'xml' is invalid\. Allowed choices are table, json, yaml; see/],
    [['nodes', 'ls', '--limit', '0'], /'0' is invalid\. Expected a whole number from 1 on; see/],
    [['nodes', 'ls', 'extra'], /^tagctl: too many arguments/],
    [['nodes', 'get'], /^tagctl: missing required argument 'ID'; see/],
    [['status', '--address', 'nowhere'], /'nowhere' is invalid\. Expected HOST:PORT/],
    [['status', '--address', 'a:0'], /Expected HOST:PORT/],
    [['status', '--timeout', '10'], /Expected a duration such as/],
    [['status', '--name', 'a b'], /Expected letters/],
    [['nodes'], /^Usage: tagctl nodes /],
    [[], /^Usage: tagctl /],
  ])('%j exits 2 and says what is wrong', async (args, expected) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof expected === 'string') expect(stderr).toBe(expected);
    else expect(stderr).toMatch(expected);
  });
});

describe('help and version', () => {
  it.each([
    [['--help']],
    [['help']],
    [['nodes', 'ls', '--help']],
    [['nodes', 'get', '-h']],
    [['nodes', 'watch', '--help']],
    [['help', 'create']],
    [['server-infos', 'rm', '--help']],
    [['status', '--help']],
    [['completion', '--help']],
    [['version', '--help']],
  ])('%j prints examples, the common flags and the exit codes', async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Examples:\n {2}\$ /);
    expect(stdout).toContain('--address <HOST:PORT>');
    expect(stdout).toContain('Exit codes:\n  0  done\n');
  });

  it.each([[['version']], [['--version']], [['-V']]])('%j', async (args) => {
    expect(await run(args)).toEqual({ code: 0, stdout: 'tagctl 0.1.0\n', stderr: '' });
  });

  it('needs no configuration that can be read', async () => {
    expect(await run(['version'], { env: { TAGPLANE_ADDRESS: 'broken' } })).toMatchObject({ code: 0 });
    expect(await run(['status'], { env: { TAGPLANE_ADDRESS: 'broken' } })).toMatchObject({ code: 2 });
  });
});

describe('a failed call', () => {
  it('names an address where nothing listens', async () => {
    const auth = await serveAuth(new FakeAuth());
    await auth[Symbol.asyncDispose]();
    expect(await run(['nodes', 'ls'], { env: { TAGPLANE_ADDRESS: auth.address } })).toEqual({
      code: 1,
      stdout: '',
      stderr: `tagctl: cannot reach ${auth.address}: nothing listens there; is the auth service running? Otherwise give another with --address or TAGPLANE_ADDRESS\n`,
    });
  });

  it('gives up on one that never answers', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await run(['status', '--address', address, '--timeout', '100ms']);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`tagctl: no answer from ${address} within 100ms; allow longer with --timeout`);
  });

  it('names one that speaks something else', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await run(['status', '--address', address]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tagctl: [^\n]+\n$/);
    expect(stderr).toContain(`cannot reach ${address}: what listens there speaks another protocol`);
  });

  it.each([
    [Code.PermissionDenied, 'tagctl: denied: why\n'],
    [Code.Unauthenticated, / does not know who is asking: why\n$/],
    [
      Code.Unauthenticated,
      /^tagctl: 127\.0\.0\.1:\d+ shuts you out: locked \(agent:a\); /,
      'locked (agent:a)',
    ],
    [Code.Unimplemented, / does not offer this; /],
    [Code.Internal, / failed: why; its log may say more\n$/],
    [Code.InvalidArgument, / refused the request: why\n$/],
    [Code.Unavailable, /^tagctl: cannot reach .*: why; is the auth service running\?/],
  ])('code %s is a line for a person', async (code, expected, message = 'why') => {
    const auth = new FakeAuth();
    auth.refusal = new ConnectError(message, code);
    await using served = await serveAuth(auth);
    const result = await run(['nodes', 'ls', '--address', served.address, '--format', 'json']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    if (typeof expected === 'string') expect(result.stderr).toBe(expected);
    else expect(result.stderr).toMatch(expected);
  });
});

describe('output', () => {
  it('whose reader left ends the command quietly', async () => {
    const auth = new FakeAuth();
    auth.nodes = [sampleNode(1)];
    await using served = await serveAuth(auth);
    const io = testIo();
    io.stdout.failure = new ClosedOutputError('gone');
    expect(await runTagctl(['nodes', 'ls', '--address', served.address], io)).toBe(0);
    expect(io.stderr.text).toBe('');
  });

  it('that fails for another reason is a failure', async () => {
    const io = testIo();
    io.stdout.failure = new Error('no space left');
    expect(await runTagctl(['version'], io)).toBe(1);
    expect(io.stderr.text).toBe('tagctl: no space left\n');
  });

  it.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
    [{ TERM: 'dumb' }, false],
  ])('on a terminal with %j has colour: %s', async (env, colour) => {
    const auth = new FakeAuth();
    auth.nodes = [sampleNode(1)];
    await using served = await serveAuth(auth);
    const terminal = { columns: 40, rows: 10 };
    const { stdout } = await run(['nodes', 'ls', '--address', served.address], { env, terminal });
    expect(stdout.includes('\u001b[')).toBe(colour);
  });
});
