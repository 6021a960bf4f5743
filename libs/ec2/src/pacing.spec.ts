import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseInstanceId } from '@tagplane/identity';
import type { InstanceId } from '@tagplane/identity';
import type { DiscoveredPage, ScanFilters } from './discovered.ts';
import type { RequestPacer } from './quota/request-pacer.ts';
import { listRegions } from './regions.ts';
import { createEc2Scanner } from './scanner.ts';
import type { Ec2ScannerOptions } from './scanner.ts';
import { errorXml, pageXml, startAnsweringEndpoint } from './testing/answering-endpoint.ts';
import type { AnsweringEndpoint } from './testing/answering-endpoint.ts';
import { fakeRegion } from './testing/index.ts';

const REGION = fakeRegion('eu-central-1');
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
const { signal } = new AbortController();

function idOf(number: number): InstanceId {
  const id = parseInstanceId(`i-${number.toString(16).padStart(8, '0')}`);
  if (id === undefined) throw new RangeError(`no instance has the number ${number}`);
  return id;
}

/** Grants every turn after `waitMs`, and writes down what it is told. */
function tellingPacer(waitMs = 0): { readonly pacer: RequestPacer; readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    pacer: {
      acquire: async () => {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        told.push('acquired');
        return { succeeded: () => told.push('succeeded'), throttled: () => told.push('throttled') };
      },
    },
  };
}

describe('requests to EC2', () => {
  let endpoint: AnsweringEndpoint;
  beforeEach(async () => {
    endpoint = await startAnsweringEndpoint();
  });
  afterEach(() => endpoint[Symbol.asyncDispose]());
  const scannerWith = (options: Partial<Ec2ScannerOptions> = {}) =>
    createEc2Scanner({ region: REGION, endpoint: endpoint.url, credentials, ...options });

  async function scan(options: Partial<Ec2ScannerOptions>, filters?: ScanFilters): Promise<DiscoveredPage[]> {
    using scanner = scannerWith(options);
    const pages: DiscoveredPage[] = [];
    for await (const page of scanner.scan({ signal, ...(filters && { filters }) })) pages.push(page);
    return pages;
  }

  it.each([
    ['RequestLimitExceeded', 503],
    ['RequestLimitExceeded', 400],
    ['Unavailable', 503],
  ])('wait for their turn each, and tell of %s (%i)', async (code, status) => {
    endpoint.answer = (_, response) => {
      const fails = endpoint.received.length < 3;
      if (fails) response.statusCode = status;
      response.end(fails ? errorXml(code) : pageXml([]));
    };
    const { pacer, told } = tellingPacer();
    const pages = await scan({ pacer });
    expect(pages.map(({ requests }) => requests)).toEqual([3]);
    expect(told).toEqual(['acquired', 'throttled', 'acquired', 'throttled', 'acquired', 'succeeded']);
  });

  it('count as made when they fail in another way', async () => {
    endpoint.answer = (_, response) => {
      response.statusCode = 403;
      response.end(errorXml('UnauthorizedOperation'));
    };
    const { pacer, told } = tellingPacer();
    await expect(scan({ pacer })).rejects.toMatchObject({ kind: 'denied' });
    expect(told).toEqual(['acquired', 'succeeded']);
  });

  it('are signed when their turn has come', async () => {
    const signedAt: string[] = [];
    endpoint.answer = (_, response) => {
      signedAt.push(String(response.req.headers['x-amz-date']));
      response.end(pageXml([]));
    };
    const { pacer } = tellingPacer(2_100);
    const before = new Date(Date.now() + 1_000).toISOString().replace(/[-:]|\.\d+/g, '');
    await scan({ pacer });
    expect(signedAt[0]?.localeCompare(before)).toBe(1);
  });

  it('have all their time left when their turn comes', async () => {
    const { pacer } = tellingPacer(1_500);
    await expect(scan({ pacer, pageTimeoutMs: 1_000 })).resolves.toHaveLength(1);
  });

  it('are not made when the wait is given up', async () => {
    const stop = new AbortController();
    using scanner = scannerWith({
      pacer: {
        acquire: async (turn) => {
          setTimeout(() => {
            stop.abort();
          }, 10);
          return await new Promise((_, reject) => {
            turn.addEventListener('abort', () => {
              reject(turn.reason as Error);
            });
          });
        },
      },
    });
    const pages = scanner.scan({ signal: stop.signal })[Symbol.asyncIterator]();
    await expect(pages.next()).rejects.toMatchObject({ kind: 'aborted', region: REGION });
    expect(endpoint.received).toEqual([]);
  });

  it('are made again for an answer that is cut off', async () => {
    const whole = pageXml(['i-0000000a']);
    endpoint.answer = (_, response) =>
      response.end(endpoint.received.length === 1 ? whole.slice(0, -20) : whole);
    const pages = await scan({});
    expect(pages).toMatchObject([{ instances: [{ key: { instance: 'i-0000000a' } }], requests: 2 }]);
  });

  it('ask for what EC2 has filters for, and leave out the rest', async () => {
    endpoint.answer = (form, response) => {
      // What is terminated is a query of its own, and here answers with what was not asked for.
      const asksForVpc = form.get('Filter.2.Value.1') === 'vpc-1';
      const parts = asksForVpc ? '<vpcId>vpc-1</vpcId>' : '<platform>windows</platform>';
      response.end(pageXml([asksForVpc ? 'i-0000000a' : 'i-0000000b'], undefined, parts));
    };
    const pages = await scan({}, { states: ['running'], vpcs: ['vpc-1'], platforms: ['linux'] });
    expect(endpoint.received.map((form) => form.get('Filter.1.Value.1'))).toEqual(['running', 'terminated']);
    expect(pages.map(({ instances }) => instances.map(({ key }) => key.instance))).toEqual([
      ['i-0000000a'],
      [],
    ]);
  });

  it('describe instances by their ids, and not those that EC2 does not know', async () => {
    endpoint.answer = (form, response) =>
      response.end(form.has('NextToken') ? pageXml(['i-00000002', 'bad']) : pageXml(['i-00000001'], 't'));
    using scanner = scannerWith();
    const page = await scanner.describe([idOf(1), idOf(2), idOf(3)], { signal });
    expect(Object.fromEntries(endpoint.received[0] ?? [])).toMatchObject({
      'Filter.1.Name': 'instance-id',
      'Filter.1.Value.3': 'i-00000003',
    });
    expect(page.instances.map(({ key }) => key.instance)).toEqual(['i-00000001', 'i-00000002']);
    expect(page).toMatchObject({ rejected: [{ instance: 'bad' }], requests: 2 });
  });

  it('describe at most a hundred, and make no request for none', async () => {
    using scanner = scannerWith();
    const ids = Array.from({ length: 101 }, (_, number) => idOf(number));
    await expect(scanner.describe(ids, { signal })).rejects.toThrow(RangeError);
    expect(await scanner.describe([], { signal })).toEqual({ instances: [], rejected: [], requests: 0 });
    expect(endpoint.received).toEqual([]);
  });

  it('fail a describe whole', async () => {
    endpoint.answer = (form, response) => {
      if (!form.has('NextToken')) return response.end(pageXml(['i-00000001'], 't'));
      response.statusCode = 403;
      return response.end(errorXml('UnauthorizedOperation'));
    };
    using scanner = scannerWith();
    await expect(scanner.describe([idOf(1)], { signal })).rejects.toMatchObject({
      kind: 'denied',
      requests: 2,
    });
  });

  it('list the regions that an account has', async () => {
    const regions = [
      ['us-east-1', 'opt-in-not-required'],
      ['af-south-1', 'opted-in'],
      ['me-south-1', 'not-opted-in'],
      ['nowhere', 'opted-in'],
    ].map(
      ([name, status]) => `<item><regionName>${name}</regionName><optInStatus>${status}</optInStatus></item>`,
    );
    endpoint.answer = (_, response) =>
      response.end(`<R><regionInfo>${regions.splice(0).join('')}</regionInfo></R>`);
    const { pacer, told } = tellingPacer();
    const options = { partitionRegion: REGION, endpoint: endpoint.url, credentials, pacer };
    expect(await listRegions(options, signal)).toEqual(['af-south-1', 'us-east-1']);
    expect(endpoint.received[0]?.get('Action')).toBe('DescribeRegions');
    expect(told).toEqual(['acquired', 'succeeded']);
    await expect(listRegions(options, signal)).rejects.toMatchObject({ code: 'MalformedResponse' });
    await expect(listRegions(options, AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' });
  });
});
