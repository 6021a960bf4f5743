import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { TailAuditResponse } from '@tagplane/protocol';
import { AuditEventSchema, TailAuditResponseSchema } from '@tagplane/protocol';
import { parseAllDocuments } from 'yaml';
import { runTagctl } from '../run.ts';
import { NOW, run, testIo } from '../testing/capture.ts';
import { eventually } from '../testing/eventually.ts';
import type { AuditScript } from '../testing/fake-access.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets on a busy machine, and waits before trying again.
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

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

const refused = {
  id: '1',
  code: 'join.refused',
  time: timestampFromMs(NOW - 60_000),
  authId: 'auth-1',
  actor: 'agent/web-1',
  remoteAddress: '10.0.0.1',
  result: 'refused',
  reason: 'the token\u001b[2J has expired',
  subjects: ['token id1'],
  details: { method: 'token' },
  count: 3,
};
const added = { id: '2', code: 'lock.added', time: timestampFromMs(NOW), authId: 'auth-1', result: 'ok' };

function answer(...events: object[]): TailAuditResponse {
  return create(TailAuditResponseSchema, { events: events.map((event) => create(AuditEventSchema, event)) });
}

function script(answers: readonly TailAuditResponse[], then: 'end' | 'hold' | 'break' = 'end'): AuditScript {
  return async function* play() {
    yield* answers;
    // Never settles: an end written to a client that has left would be reported on the console.
    if (then === 'hold') await new Promise<never>(() => undefined);
    if (then === 'break') throw new ConnectError('going away', Code.Unavailable);
  };
}

describe('audit tail', () => {
  it('prints a line for each event, without letting it drive the terminal', async () => {
    auth.access.audits = [script([answer(refused), answer(), answer(added)])];
    const { code, stdout } = await tagctl('audit', 'tail');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '2026-11-22T11:59:00.000Z  join.refused             refused  agent/web-1  10.0.0.1  token id1  method=token  (3 times): the token\\u001b[2J has expired',
      '2026-11-22T12:00:00.000Z  lock.added               ok       -  -',
      '',
    ]);
    expect(auth.access.tails).toMatchObject([{ since: { seconds: 3_600n }, follow: false, codePrefix: '' }]);
  });

  it('prints an object on a line, or a document each', async () => {
    auth.access.audits = [script([answer(refused, added)])];
    const json = await tagctl('audit', 'tail', '--since', '12h', '--code', 'join.', '--format', 'json');
    const objects = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(objects).toMatchObject([{ id: '1' }, { id: '2' }]);
    expect(objects[0]).toStrictEqual({
      id: '1',
      code: 'join.refused',
      time: '2026-11-22T11:59:00.000Z',
      auth_id: 'auth-1',
      actor: 'agent/web-1',
      remote_address: '10.0.0.1',
      result: 'refused',
      reason: 'the token\u001b[2J has expired',
      subjects: ['token id1'],
      details: { method: 'token' },
      count: 3,
    });
    expect(auth.access.tails).toMatchObject([{ since: { seconds: 43_200n }, codePrefix: 'join.' }]);
    const yaml = await tagctl('audit', 'tail', '--format', 'yaml');
    const documents = parseAllDocuments(yaml.stdout);
    expect(documents.map((document) => (document.toJS() as { id: string }).id)).toEqual(['1', '2']);
  });

  it('follows across a lost connection, and says no event twice', async () => {
    auth.access.audits = [
      script([answer(refused)], 'break'),
      script([answer(refused, added), answer()], 'hold'),
    ];
    const stop = new AbortController();
    const io = testIo({ signal: stop.signal });
    const ended = runTagctl(['audit', 'tail', '-f', '--address', served.address, '--format', 'json'], io);
    await eventually('the second event is there', () => io.stdout.text.includes('lock.added'));
    stop.abort();
    expect(await ended).toBe(0);
    expect(io.stdout.text.trimEnd().split('\n')).toHaveLength(2);
    expect(io.stderr.text).toBe(`tagctl: lost ${served.address}: going away; trying again\n`);
    // The past had not been told to its end, so all of it is asked for again.
    expect(auth.access.tails).toMatchObject([{ follow: true }, { follow: true, since: { seconds: 3_600n } }]);
  });

  it('once it has heard all of the past, asks for no more than a little of it again', async () => {
    auth.access.audits = [script([answer(refused), answer()], 'break'), script([answer()], 'hold')];
    const stop = new AbortController();
    const ended = runTagctl(
      ['audit', 'tail', '-f', '--address', served.address],
      testIo({ signal: stop.signal }),
    );
    await eventually('it asks again', () => auth.access.tails.length === 2);
    stop.abort();
    expect(await ended).toBe(0);
    expect(auth.access.tails[1]).toMatchObject({ since: { seconds: 30n } });
  });

  it('fails when it never could', async () => {
    auth.access.audits = [script([], 'break')];
    expect(await tagctl('audit', 'tail', '-f')).toMatchObject({ code: 1, stdout: '' });
  });
});
