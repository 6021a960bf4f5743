import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { clockAt, eventually, heardLog, startFakeMetadata } from '../testing/index.ts';
import type { FakeMetadata } from '../testing/index.ts';
import { TAGS_PATH, askTags } from './ask-tags.ts';
import { ImportedLabels } from './imported-labels.ts';

jest.setTimeout(60_000);

const never = new AbortController().signal;
let metadata: FakeMetadata | undefined;

afterEach(() => {
  metadata?.[Symbol.dispose]();
  metadata = undefined;
});

async function start(answers: Record<string, string | number>): Promise<string> {
  metadata = await startFakeMetadata(answers);
  return metadata.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? '';
}

function tags(labels: Record<string, string>): Record<string, string> {
  return {
    [TAGS_PATH]: Object.keys(labels).join('\n'),
    ...Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [
        `${TAGS_PATH}${encodeURIComponent(key).replaceAll('%3A', ':')}`,
        value,
      ]),
    ),
  };
}

describe('askTags', () => {
  it('has every tag as it is, under aws/', async () => {
    const endpoint = await start(
      tags({ Name: 'web 1', 'aws:autoscaling:groupName': 'g', 'kubernetes.io/role': '' }),
    );
    expect(await askTags(endpoint, never)).toEqual({
      kind: 'ok',
      labels: new Map([
        ['aws/Name', 'web 1'],
        ['aws/aws:autoscaling:groupName', 'g'],
        ['aws/kubernetes.io/role', ''],
      ]),
      leftOut: 0,
    });
  });

  it('takes 64 at most, and none that no label can carry', async () => {
    const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`k${index}`, 'v']));
    const endpoint = await start({ ...tags(many), [`${TAGS_PATH}k0`]: 'x'.repeat(300) });
    const answer = await askTags(endpoint, never);
    expect(answer).toMatchObject({ kind: 'ok', leftOut: 7 });
    expect(answer.kind === 'ok' && answer.labels.size).toBe(63);
  });

  it('leaves out a tag that is gone when its value is asked for', async () => {
    const endpoint = await start({ [TAGS_PATH]: 'a\nb', [`${TAGS_PATH}b`]: '1' });
    expect(await askTags(endpoint, never)).toMatchObject({ labels: new Map([['aws/b', '1']]), leftOut: 0 });
  });

  it.each<[string, Record<string, string | number>, string, RegExp]>([
    ['they are not in metadata', {}, 'absent', /instance-metadata-tags enabled/],
    ['it may not be asked', { [TAGS_PATH]: 403 }, 'denied', /instance-metadata-tags enabled/],
    ['one value fails', { [TAGS_PATH]: 'a', [`${TAGS_PATH}a`]: 500 }, 'failed', /again/],
  ])('says why and what to do when %s', async (_, answers, kind, fix) => {
    const answer = await askTags(await start(answers), never);
    expect(answer).toMatchObject({ kind, reason: expect.any(String), fix: expect.stringMatching(fix) });
  });

  it('says what to do when nothing is there', async () => {
    const endpoint = await start({});
    metadata?.[Symbol.dispose]();
    expect(await askTags(endpoint, never)).toMatchObject({
      kind: 'unreachable',
      fix: expect.stringMatching(/hop-limit/),
    });
  });

  it('rejects when it is aborted', async () => {
    const endpoint = await start({});
    await expect(askTags(endpoint, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});

describe('ImportedLabels', () => {
  it('asks at once and then hourly, keeps the last answer for three hours, and says a problem once', async () => {
    const endpoint = await start(tags({ Name: 'a' }));
    let now = 0;
    const { log, said } = heardLog();
    const asked: string[] = [];
    const imported = new ImportedLabels({
      endpoint,
      clock: () => clockAt(now)(),
      asked: (kind) => {
        asked.push(kind);
      },
      log,
    });
    expect(imported.view()).toMatchObject({ ageMs: undefined, remainingMs: 0 });
    const attempt = async (): Promise<void> => {
      const stop = new AbortController();
      const count = asked.length;
      const running = imported.run(stop.signal);
      await eventually('an attempt', () => Promise.resolve(asked.length > count ? true : undefined));
      stop.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
    };
    await attempt();
    expect(imported.view()).toMatchObject({ labels: new Map([['aws/Name', 'a']]), problem: undefined });
    metadata?.answers.delete(TAGS_PATH);
    now = 3 * 3_600_000 - 1;
    await attempt();
    await attempt();
    expect(imported.view()).toMatchObject({ remainingMs: 1, problem: expect.stringMatching(/no tags/) });
    metadata?.answers.set(TAGS_PATH, 'Name');
    await attempt();
    expect(imported.view()).toMatchObject({ ageMs: 0, problem: undefined });
    expect(asked).toEqual(['ok', 'absent', 'absent', 'ok']);
    expect(said).toMatchObject([
      { event: 'tags_imported', labels: 1 },
      { event: 'tags_not_imported' },
      { event: 'tags_imported' },
    ]);
  });
});
