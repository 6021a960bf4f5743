import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DiscoveredPage, ScanOptions } from './discovered.ts';
import { createEc2Scanner } from './scanner.ts';
import type { Ec2ScannerOptions } from './scanner.ts';
import { pageXml, startAnsweringEndpoint } from './testing/answering-endpoint.ts';
import type { AnsweringEndpoint } from './testing/answering-endpoint.ts';
import { fakeRegion } from './testing/index.ts';

const REGION = fakeRegion('eu-central-1');
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };

describe('createEc2Scanner', () => {
  let endpoint: AnsweringEndpoint;
  beforeEach(async () => {
    endpoint = await startAnsweringEndpoint();
  });
  afterEach(() => endpoint[Symbol.asyncDispose]());

  async function scan(
    options: Partial<Ec2ScannerOptions> = {},
    scanOptions: ScanOptions = { signal: new AbortController().signal },
  ): Promise<DiscoveredPage[]> {
    using scanner = createEc2Scanner({ region: REGION, endpoint: endpoint.url, credentials, ...options });
    const pages: DiscoveredPage[] = [];
    for await (const page of scanner.scan(scanOptions)) pages.push(page);
    return pages;
  }

  it('asks for pages of 1,000 and follows NextToken', async () => {
    endpoint.answer = (form, response) => {
      response.end(
        form.get('NextToken') === 't&1'
          ? pageXml(['i-0000000b', 'i-bad'])
          : pageXml(['i-0000000a'], 't&amp;1'),
      );
    };
    const pages = await scan();
    expect(
      endpoint.received.map((form) => [form.get('Action'), form.get('MaxResults'), form.get('NextToken')]),
    ).toEqual([
      ['DescribeInstances', '1000', null],
      ['DescribeInstances', '1000', 't&1'],
    ]);
    expect(pages.map(({ instances }) => instances.map(({ key }) => key.instance))).toEqual([
      ['i-0000000a'],
      ['i-0000000b'],
    ]);
    expect(pages[0]?.instances[0]).toEqual({
      key: { account: '123456789012', region: 'eu-central-1', instance: 'i-0000000a' },
      state: 'running',
      tags: new Map([['__proto__', '']]),
      vpc: undefined,
      platform: 'linux',
    });
    expect(pages.map(({ rejected }) => rejected.length)).toEqual([0, 1]);
    expect(pages.map(({ requests }) => requests)).toEqual([1, 1]);
  });

  it('turns tag filters into those of EC2', async () => {
    endpoint.answer = (_, response) => response.end(pageXml([]));
    const tags = { 'Patch Group': ['a', 'b*'], any: [] };
    await scan({}, { signal: new AbortController().signal, filters: { tags } });
    const form = Object.fromEntries(
      [...(endpoint.received[0] ?? [])].filter(([key]) => key.startsWith('Filter')),
    );
    expect(form).toEqual({
      'Filter.1.Name': 'tag:Patch Group',
      'Filter.1.Value.1': 'a',
      'Filter.1.Value.2': 'b*',
      'Filter.2.Name': 'tag-key',
      'Filter.2.Value.1': 'any',
    });
  });

  it('tries a fault of EC2 again, a bounded number of times', async () => {
    endpoint.answer = (_, response) => {
      response.statusCode = 503;
      response.end('<Response><Errors><Error><Code>Unavailable</Code></Error></Errors></Response>');
    };
    await expect(scan({ maxAttempts: 3 })).rejects.toMatchObject({
      name: 'ScanError',
      kind: 'unreachable',
      code: 'Unavailable',
      requests: 3,
    });
    expect(endpoint.received).toHaveLength(3);
  });

  it('fails when a later page does, after the pages before it', async () => {
    endpoint.answer = (form, response) => {
      if (!form.has('NextToken')) return response.end(pageXml(['i-0000000a'], 't'));
      response.statusCode = 400;
      return response.end(
        '<Response><Errors><Error><Code>InvalidNextToken</Code></Error></Errors></Response>',
      );
    };
    using scanner = createEc2Scanner({ region: REGION, endpoint: endpoint.url, credentials });
    const pages = scanner.scan({ signal: new AbortController().signal })[Symbol.asyncIterator]();
    expect((await pages.next()).value).toMatchObject({ requests: 1 });
    await expect(pages.next()).rejects.toMatchObject({
      kind: 'other',
      code: 'InvalidNextToken',
      requests: 2,
    });
  });

  it('does not wait for ever for an answer that trickles', async () => {
    endpoint.answer = (_, response) => response.write('<DescribeInstancesResponse>');
    await expect(scan({ pageTimeoutMs: 200 })).rejects.toMatchObject({
      kind: 'unreachable',
      code: 'PageTimeout',
    });
  });

  it('gives no time limit to its reader', async () => {
    endpoint.answer = (form, response) =>
      response.end(form.has('NextToken') ? pageXml([]) : pageXml([], 't'));
    using scanner = createEc2Scanner({
      region: REGION,
      endpoint: endpoint.url,
      credentials,
      pageTimeoutMs: 500,
    });
    let pages = 0;
    for await (const _ of scanner.scan({ signal: new AbortController().signal })) {
      pages += 1;
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    expect(pages).toBe(2);
  });

  it('is aborted before, and in the middle of, a request', async () => {
    endpoint.answer = (_, response) => response.write('<');
    await expect(scan({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' });
    expect(endpoint.received).toHaveLength(0);
    const stop = new AbortController();
    endpoint.answer = (_, response) => {
      response.write('<');
      stop.abort();
    };
    await expect(scan({}, { signal: stop.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });

  it.each([
    ['no XML', '<html><body>proxy login<br></body></html>'],
    ['other XML', '<html><body>proxy login</body></html>'],
    ['nothing', ''],
    ['a cut-off answer', pageXml(['i-0000000a']).slice(0, -10)],
  ])('does not take %s for an empty region', async (_, text) => {
    endpoint.answer = (_form, response) => response.end(text);
    await expect(scan({ maxAttempts: 1 })).rejects.toMatchObject({ name: 'ScanError', kind: 'other' });
  });

  it('takes an empty set for an empty region', async () => {
    const empty = '<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>';
    endpoint.answer = (_, response) => response.end(empty);
    expect(await scan()).toEqual([{ instances: [], rejected: [], requests: 1 }]);
  });

  it('finds its endpoint in the environment and says when nothing is there', async () => {
    // In a process of its own: the test's realm makes the SDK wrap system errors, and hides their code.
    const script = `
      import { createEc2Scanner } from '@tagplane/ec2';
      const scanner = createEc2Scanner({ region: 'eu-central-1', maxAttempts: 2 });
      try { for await (const _ of scanner.scan({ signal: AbortSignal.timeout(60000) })); }
      catch ({ name, kind, code, requests }) { process.stdout.write(JSON.stringify([name, kind, code, requests])); }`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@tagplane/source', '--input-type=module', '-e', script],
      {
        env: {
          PATH: process.env['PATH'],
          AWS_ENDPOINT_URL_EC2: 'http://127.0.0.1:1',
          AWS_ACCESS_KEY_ID: 'any',
          AWS_SECRET_ACCESS_KEY: 'any',
        },
      },
    );
    expect(JSON.parse(stdout)).toEqual(['ScanError', 'unreachable', 'ECONNREFUSED', 2]);
  }, 60_000);
});
