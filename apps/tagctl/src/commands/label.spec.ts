import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { run, testIo } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleChange } from '../testing/fake-explain.ts';
import { sampleNode, sampleServerInfo } from '../testing/samples.ts';
import { nodeEvent, syncedEvent, watchScript } from '../testing/watch-script.ts';
import { runTagctl } from '../run.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const label = (...args: string[]) => run(['label', ...args, '--address', served.address]);
const NAME = 'labels.node.server-00001';
const labels = (): unknown => auth.serverInfos.get(NAME)?.labels;

describe('label set and unset', () => {
  it('keep one ServerInfo for a target: merged into, and gone with its last label', async () => {
    const node = ['--node', 'server-00001'];
    expect(await label('set', ...node, 'dynamic/a=1')).toEqual({
      code: 0,
      stdout: `server_info ${NAME} stored\n`,
      stderr: '',
    });
    expect(auth.upserts[0]).toMatchObject({ createOnly: true });
    expect(await label('set', ...node, 'dynamic/b=2', 'dynamic/a=3')).toMatchObject({ code: 0 });
    expect(labels()).toEqual({ 'dynamic/a': '3', 'dynamic/b': '2' });
    expect(auth.upserts[1]?.serverInfos[0]?.expectedRevision).toBe(1n);
    expect((await label('set', ...node, 'dynamic/a=3')).stdout).toBe(`server_info ${NAME} unchanged\n`);
    expect(await label('unset', ...node, 'dynamic/a')).toMatchObject({ code: 0 });
    expect(labels()).toEqual({ 'dynamic/b': '2' });
    const last = await label('unset', ...node, 'dynamic/b', '--format', 'json');
    expect(JSON.parse(last.stdout)).toEqual({ name: NAME, status: 'REMOVED' });
    expect(auth.serverInfos.size).toBe(0);
  });

  it('take a selector, an instance, a name and a ttl', async () => {
    const selector = ['--selector', 'aws/team=[db, web-*]'];
    await label('set', ...selector, 'dynamic/a=1', '--ttl', '2h', '--name', 'mine');
    const [sent] = auth.upserts[0]?.serverInfos ?? [];
    expect(sent).toMatchObject({
      name: 'mine',
      ttl: { seconds: 7_200n },
      match: {
        target: { case: 'selector', value: { terms: [{ key: 'aws/team', values: ['db', 'web-*'] }] } },
      },
    });
    await label('set', '--instance', '123456789012/eu-central-1/i-0123456789abcdef0', 'dynamic/a=1');
    expect([...auth.serverInfos.keys()]).toContain(
      'labels.instance.123456789012.eu-central-1.i-0123456789abcdef0',
    );
  });

  it('try again when someone else was faster, with what that one wrote', async () => {
    auth.beforeUpsert = () => {
      auth.beforeUpsert = undefined;
      auth.serverInfos.set(NAME, sampleServerInfo(NAME, [['dynamic/other', 'x']]));
      delete auth.serverInfos.get(NAME)?.expiresAt;
    };
    expect(await label('set', '--node', 'server-00001', 'dynamic/a=1')).toMatchObject({ code: 0 });
    expect(auth.upserts).toHaveLength(2);
    expect(labels()).toEqual({ 'dynamic/other': 'x', 'dynamic/a': '1' });
  });

  it('say that the guard holds it, with an exit code of its own', async () => {
    auth.holdId = 'h1';
    expect(await label('set', '--selector', '*=*', 'dynamic/a=1')).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/held: .*; to let it go on: tagctl guard release h1\n$/),
    });
    const json = await label('set', '--selector', '*=*', 'dynamic/a=1', '--format', 'json');
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([4, { status: 'HELD', hold_id: 'h1' }]);
  });

  it('refuse what cannot be meant, before anything is asked', async () => {
    expect(await label('set', 'dynamic/a=1')).toMatchObject({ code: 2 });
    expect(await label('set', '--node', 'a', 'aws/a=1')).toMatchObject({ code: 2 });
    expect(await label('set', '--selector', 'aws/a=^(', 'dynamic/a=1')).toMatchObject({ code: 2 });
    expect(auth.peers).toEqual([]);
  });
});

describe('label --dry-run', () => {
  it('lists which nodes would change, and writes nothing', async () => {
    auth.explain.changes = [sampleChange('web-1', { gained: { 'dynamic/a': '1' } })];
    auth.explain.nodes = 3;
    expect(await label('set', '--selector', 'aws/team=db', 'dynamic/a=1', '--dry-run')).toEqual({
      code: 0,
      stdout: 'web-1 (host-web-1)  +dynamic/a=1\n1 of 3 nodes would change\n',
      stderr: '',
    });
    expect(auth.upserts).toHaveLength(0);
    auth.serverInfos.set(NAME, sampleServerInfo(NAME, [['dynamic/a', '1']]));
    await label('unset', '--node', 'server-00001', 'dynamic/a', '--dry-run');
    expect(
      auth.explain.previews.map(({ serverInfos, deleteNames }) => [serverInfos.length, deleteNames]),
    ).toEqual([
      [1, []],
      [0, [NAME]],
    ]);
    expect(auth.serverInfos.size).toBe(1);
  });
});

describe('label --wait', () => {
  beforeEach(() => {
    auth.explain.changes = ['server-00001', 'server-00002'].map((id) =>
      sampleChange(id, { gained: { 'dynamic/a': '1' } }),
    );
  });

  it('waits until every connected node has it, and shows a terminal how far it has got', async () => {
    const without = sampleNode(1);
    const away = { ...sampleNode(2), connected: false };
    const holding = sampleNode(1, [['dynamic/a', '1']]);
    auth.watches = [
      watchScript([nodeEvent(without), nodeEvent(away), syncedEvent(), nodeEvent(holding)], 'hold'),
    ];
    const io = testIo({ terminal: { columns: 80, rows: 24 } });
    const args = ['label', 'set', '--selector', 'aws/a=b', 'dynamic/a=1', '--address', served.address];
    expect(await runTagctl(args, io)).toBe(0);
    expect(io.stdout.text).toMatch(/stored\n1 of 2 nodes have it, 1 not connected\n$/);
    expect(io.stderr.text).toContain('0 of 2 nodes have it');
    // The line of the progress is taken away again.
    expect(io.stderr.text).toMatch(/\r\u001b\[K$/);
  });

  it('gives up after its timeout, and names who has it not', async () => {
    auth.watches = [watchScript([nodeEvent(sampleNode(1)), syncedEvent()], 'hold')];
    const args = ['set', '--selector', 'aws/a=b', 'dynamic/a=1', '--wait', '--timeout', '1s'];
    expect(await label(...args)).toMatchObject({
      code: 1,
      stderr: "tagctl: after 1s not yet: server-00001; 'tagctl explain NODE' says why\n",
    });
  });

  it('does not wait when it is told not to, and says in a document what it waited for', async () => {
    const quick = await label('set', '--node', 'server-00001', 'dynamic/a=1', '--no-wait');
    expect(quick).toMatchObject({ code: 0 });
    expect(auth.watchCalls).toBe(0);
    auth.watches = [watchScript([nodeEvent(sampleNode(1, [['dynamic/a', '1']])), syncedEvent()], 'hold')];
    const args = ['set', '--node', 'server-00001', 'dynamic/b=1', '--wait', '--format', 'json'];
    const { code, stdout } = await label(...args);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        name: NAME,
        status: 'ACCEPTED',
        revision: 2,
        nodes: { affected: 2, have: 1, waiting: [], not_connected: 1 },
      },
    ]);
  });
});
