import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { parseAllDocuments } from 'yaml';
import { runTagctl } from '../run.ts';
import type { TestIo } from '../testing/capture.ts';
import { run, testIo } from '../testing/capture.ts';
import { eventually } from '../testing/eventually.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { NASTY_LABELS, sampleNode } from '../testing/samples.ts';
import {
  nodeEvent,
  removedEvent,
  restartedEvent,
  syncedEvent,
  watchScript,
} from '../testing/watch-script.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;
let stop: AbortController;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await served[Symbol.asyncDispose]();
});

function start(
  options: Parameters<typeof testIo>[0],
  ...args: string[]
): { io: TestIo; code: Promise<number> } {
  const io = testIo({ ...options, signal: stop.signal });
  return { io, code: runTagctl(['nodes', 'watch', '--address', served.address, ...args], io) };
}

const one = sampleNode(1, [['aws/Name', 'web']]);
const two = sampleNode(2);
const twoLabelled = sampleNode(2, [['aws/Name', 'db']]);

describe('nodes watch, to a pipe', () => {
  it('prints a line for each change, until interrupted', async () => {
    const events = [nodeEvent(one), nodeEvent(two), syncedEvent(), nodeEvent(two), nodeEvent(twoLabelled), removedEvent('server-00001')]; // prettier-ignore
    auth.watches = [watchScript(events, 'hold')];
    const { io, code } = start({});
    await eventually('the removal is printed', () => io.stdout.text.includes('REMOVED'));
    stop.abort();
    expect(await code).toBe(0);
    expect(io.stdout.text).toBe(
      [
        'server-00001 SYNCED connected aws/Name=web',
        'server-00002 SYNCED connected',
        'server-00002 SYNCED connected aws/Name=db',
        'server-00001 REMOVED',
        '',
      ].join('\n'),
    );
    expect(io.stderr.text).toBe('');
  });

  it.each(['an ended stream', 'a cut connection'])(
    'survives %s, says so, and prints what changed meanwhile',
    async (loss) => {
      auth.watches = [
        watchScript(
          [nodeEvent(one), nodeEvent(two), syncedEvent()],
          loss === 'an ended stream' ? 'end' : 'hold',
        ),
        watchScript([nodeEvent(twoLabelled), syncedEvent()], 'hold'),
      ];
      const { io, code } = start({}, '--format', 'json');
      await eventually('the first list is complete', () => io.stdout.text.includes('"synced"'));
      if (loss === 'a cut connection') served.cut();
      await eventually('the second list is complete', () => io.stderr.text.includes('connected to'));
      stop.abort();
      expect(await code).toBe(0);
      const events = io.stdout.text
        .trimEnd()
        .split('\n')
        .map(
          (line) => JSON.parse(line) as { event: string; server_id?: string; node?: { server_id: string } },
        );
      expect(events.map(({ event, node, server_id }) => [event, node?.server_id ?? server_id])).toEqual([
        ['node', 'server-00001'],
        ['node', 'server-00002'],
        ['synced', undefined],
        ['lost', undefined],
        ['node', 'server-00002'],
        ['removed', 'server-00001'],
        ['synced', undefined],
      ]);
      expect(io.stderr.text).toMatch(
        /^tagctl: lost 127\.0\.0\.1:\d+: .+; trying again\ntagctl: connected to .* again\n$/,
      );
    },
  );

  it('waits out a service that is down for a while', async () => {
    auth.watches = [watchScript([nodeEvent(one), syncedEvent()], 'hold')];
    const { io, code } = start({});
    await eventually('the node is printed', () => io.stdout.text.includes('server-00001'));
    await served[Symbol.asyncDispose]();
    await eventually('a try has failed', () => io.stderr.text.split('tagctl: lost').length > 2);
    served = await serveAuth(auth, served.port);
    await eventually('it is back', () => io.stderr.text.includes('connected to'));
    stop.abort();
    expect(await code).toBe(0);
    expect(io.stdout.text).toBe('server-00001 SYNCED connected aws/Name=web\n');
  });

  it('starts the list anew when the service says so', async () => {
    const events = [
      nodeEvent(one),
      nodeEvent(two),
      syncedEvent(),
      restartedEvent(),
      nodeEvent(two),
      syncedEvent(),
    ];
    auth.watches = [watchScript(events, 'hold')];
    const { io } = start({}, '--format', 'yaml');
    await eventually('the second list is complete', () => io.stdout.text.split('synced').length === 3);
    const documents = parseAllDocuments(io.stdout.text).map(
      (document) => document.toJS() as { event: string },
    );
    expect(documents.map(({ event }) => event)).toEqual(['node', 'node', 'synced', 'removed', 'synced']);
  });

  it('fails at once when the service cannot be reached or refuses', async () => {
    auth.refusal = new ConnectError('operators only', Code.PermissionDenied);
    const refused = await run(['nodes', 'watch', '--address', served.address]);
    expect(refused).toEqual({ code: 1, stdout: '', stderr: 'tagctl: denied: operators only\n' });
    auth.refusal = undefined;
    auth.watches = [watchScript([], 'hold')];
    const silent = await run(['nodes', 'watch', '--address', served.address, '--timeout', '50ms']);
    expect(silent.code).toBe(1);
    expect(silent.stderr).toContain(`no answer from ${served.address} within 50ms`);
  });
});

describe('nodes watch, on a terminal', () => {
  it('redraws in place, clears nothing it will write again, and gives the terminal back', async () => {
    auth.watches = [watchScript([nodeEvent(sampleNode(1, NASTY_LABELS)), nodeEvent(two), syncedEvent()], 'end'),
      watchScript([nodeEvent(two), syncedEvent()], 'hold')]; // prettier-ignore
    const { io, code } = start({ terminal: { columns: 60, rows: 10 } });
    await eventually('the loss is drawn', () =>
      io.stdout.text.includes('connection lost: the auth service ended'),
    );
    await eventually('the new list is drawn', () => io.stdout.text.includes('1 node at'));
    io.stdout.resize({ columns: 30, rows: 5 });
    await eventually('the smaller picture is drawn', () =>
      /H1 node at 127[^\n]*…\u001b\[K/.test(io.stdout.text),
    );
    stop.abort();
    expect(await code).toBe(0);
    const { text } = io.stdout;
    expect(text).toMatch(/^\u001b\[\?1049h\u001b\[\?25l\u001b\[\?7l/);
    expect(text).toMatch(/\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l[^\u001b]*(?:\u001b\[\d*m[^\u001b]*)*$/);
    expect(text).not.toContain('\u001b[2J');
    const frames = text.split('\u001b[?2026h').slice(1);
    expect(frames.length).toBeGreaterThan(2);
    for (const frame of frames) expect(frame.startsWith('\u001b[H')).toBe(true);
    expect(io.stderr.text).toBe('');
  });

  it('prints JSON lines there too when asked to', async () => {
    auth.watches = [watchScript([nodeEvent(one), syncedEvent()], 'hold')];
    const { io } = start({ terminal: { columns: 60, rows: 10 } }, '--format', 'json');
    await eventually('the list is complete', () => io.stdout.text.includes('"synced"'));
    expect(io.stdout.text).not.toContain('\u001b');
  });

  it('gives the terminal back also when it fails', async () => {
    auth.refusal = new ConnectError('operators only', Code.PermissionDenied);
    const { io, code } = start({ terminal: { columns: 60, rows: 10 } });
    expect(await code).toBe(1);
    expect(io.stdout.text).toContain('\u001b[?1049l');
    expect(io.stderr.text).toBe('tagctl: denied: operators only\n');
  });
});
