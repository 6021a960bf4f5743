import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { labelsDocument } from '../routes/labels.ts';
import {
  eventually,
  sampleInstance,
  startAgent,
  startFakeAuth,
  startFakeMetadata,
} from '../testing/index.ts';
import type { FakeStream, RunningAgent } from '../testing/index.ts';
import { TAGS_PATH } from './ask-tags.ts';

jest.setTimeout(90_000);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The first heartbeat that has this label among the node's own. */
async function heartbeatWith(stream: FakeStream, key: string, value: string): Promise<unknown> {
  for (;;) {
    const heartbeat = await stream.next('heartbeat');
    if (heartbeat.labels[key] === value) return heartbeat;
  }
}

async function shown(agent: RunningAgent, key: string): Promise<string> {
  return await eventually(`a label ${key}`, () => Promise.resolve(labelsDocument(agent.view()).sources[key]));
}

describe('what a node says of itself', () => {
  it('is told when a command says it, and when it says otherwise', async () => {
    const file = join(directory, 'kernel');
    await writeFile(file, '6.1');
    await using auth = await startFakeAuth();
    const command = { name: 'kernel', command: ['cat', file], periodMs: 200, timeoutMs: 30_000 } as const;
    await using agent = await startAgent([auth.address], {
      ownLabels: new Map([['role', 'web']]),
      commands: [command],
    });
    const stream = await auth.nextStream();
    await stream.next('hello');
    expect(await heartbeatWith(stream, 'kernel', '6.1')).toMatchObject({ labels: { role: 'web' } });
    expect(await shown(agent, 'kernel')).toBe('command');
    await writeFile(file, '6.2');
    await heartbeatWith(stream, 'kernel', '6.2');
    await rm(file);
    // Three periods after the last success it is the node's no more.
    for (;;) if ((await stream.next('heartbeat')).labels['kernel'] === undefined) break;
    expect(labelsDocument(agent.view())).toMatchObject({
      labels: { role: 'web' },
      stale: { kernel: '6.2' },
      commands: { kernel: { expires_in_s: 0, problem: 'exit code 1' } },
    });
  });

  it('has the tags of instance metadata apart, until the auth service says what is under aws/', async () => {
    using metadata = await startFakeMetadata({ [TAGS_PATH]: 'Name', [`${TAGS_PATH}Name`]: 'web 1' });
    await using auth = await startFakeAuth({ heartbeatMs: 200 });
    const settings = { metadata: true, instance: sampleInstance('0') };
    await using agent = await startAgent([auth.address], settings, { env: metadata.env });
    const stream = await auth.nextStream();
    await stream.next('hello');
    for (;;) if ((await stream.next('heartbeat')).importedLabels['aws/Name'] === 'web 1') break;
    expect(await shown(agent, 'aws/Name')).toBe('imported');
    stream.replace('n1', new Map());
    await stream.next('labelsAck');
    expect(labelsDocument(agent.view()).labels).toEqual({});
    // The auth service is told on: it may know of nothing else later.
    expect((await stream.next('heartbeat')).importedLabels).toEqual({ 'aws/Name': 'web 1' });
  });
});
