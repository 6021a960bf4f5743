import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GuardService, GuardVerdict, HoldState, PEER_HEADER, rpcOptions } from '@tagplane/protocol';
import { Registry, silentLogger } from '@tagplane/runtime';
import { authorise } from '../authorise.ts';
import { createDiscovery } from '../discovery/create-discovery.ts';
import type { Fences } from '../discovery/fence.ts';
import { DEFAULT_THRESHOLDS } from '../guard/config.ts';
import { Guard } from '../guard/guard.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { codeOf } from '../testing/samples.ts';
import { overridden, testStores } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { guardRoutes } from './guard-routes.ts';

const SCOPE = 'aws/123456789012/eu-central-1';

let stores: TestStores;
let audit: RecordingAudit;
let full = false;
let carried: string[];
let guard: Guard;
let fences: Fences;

beforeEach(() => {
  stores = testStores();
  audit = new RecordingAudit();
  full = false;
  carried = [];
  const store = overridden(stores.security, {
    count: (prefix, options) => (full ? Promise.resolve(1_000) : stores.security.count(prefix, options)),
  });
  ({ fences } = createDiscovery({ stores, audit, registry: new Registry(), log: silentLogger() }));
  guard = new Guard({ store, thresholds: DEFAULT_THRESHOLDS, audit, registry: new Registry() });
});
afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

function as(peer: string): Client<typeof GuardService> {
  const carryOut = (request: string): Promise<string> => {
    carried.push(request);
    return Promise.resolve('1 accepted');
  };
  const transport = createRouterTransport(
    (router) => router.service(GuardService, guardRoutes({ guard, fences, carryOut })),
    {
      router: rpcOptions({ log: silentLogger(), authorise }),
      transport: {
        interceptors: [
          (next) => (request) => {
            request.header.set(PEER_HEADER, peer);
            return next(request);
          },
        ],
      },
    },
  );
  return createClient(GuardService, transport);
}

const large = { scope: SCOPE, fingerprint: 'f', nodesChanged: 30, nodesTotal: 90, samples: ['a'] };

describe('RequestChange', () => {
  it('answers GO, or holds and names the hold', async () => {
    const discovery = as('discovery/main');
    expect(await discovery.requestChange({ ...large, nodesChanged: 3 })).toMatchObject({
      verdict: GuardVerdict.GO,
      holdId: '',
    });
    const held = await discovery.requestChange(large);
    expect(held.verdict).toBe(GuardVerdict.HELD);
    const { holds } = await as('operator/ada').listHolds({});
    expect(holds).toEqual([
      expect.objectContaining({
        id: held.holdId,
        scope: SCOPE,
        nodesChanged: 30,
        nodesTotal: 90,
        nodesChangedBefore: 3,
        state: HoldState.HELD,
        requestedBy: 'discovery/main',
        description: 'a scan found 30 instances with tags removed or changed',
      }),
    ]);
  });

  it('keeps the windows of two discoveries apart', async () => {
    const small = { ...large, nodesChanged: 19 };
    for (const name of ['main', 'other']) {
      expect(await as(`discovery/${name}`).requestChange(small)).toMatchObject({ verdict: GuardVerdict.GO });
    }
  });

  it.each(['dynamic/', 'aws/1/eu-central-1', 'aws/123456789012/x', `${SCOPE}/other`, `${SCOPE}/gone/x`])(
    'refuses the scope %s',
    async (scope) => {
      expect(await codeOf(as('discovery/main').requestChange({ ...large, scope }))).toBe('InvalidArgument');
    },
  );

  it('is refused, not let go, when there are too many holds', async () => {
    full = true;
    expect(await codeOf(as('discovery/main').requestChange(large))).toBe('ResourceExhausted');
  });
});

describe('an operator’s decision', () => {
  it('lets a change of a discovery go', async () => {
    const { holdId: id } = await as('discovery/main').requestChange(large);
    const { hold } = await as('operator/ada').releaseHold({ id });
    expect(hold).toMatchObject({ state: HoldState.RELEASED, decidedBy: 'operator/ada' });
    expect(await as('discovery/main').requestChange(large)).toMatchObject({ verdict: GuardVerdict.GO });
    expect(carried).toEqual([]);
  });

  it('carries out a request of an operator, and says what came of it', async () => {
    const change = { ...large, requestedBy: 'operator/bob', description: 'a change', follows: false };
    const caller = { actor: 'operator/bob', remoteAddress: undefined };
    await guard.ask(change, { windowName: 'dynamic/', request: 'it', caller }, new AbortController().signal);
    const ada = as('operator/ada');
    const [waiting] = (await ada.listHolds({})).holds;
    const { hold } = await ada.releaseHold({ id: waiting?.id ?? '' });
    expect([hold?.description, carried]).toEqual(['a change; 1 accepted', ['it']]);
    await ada.releaseHold({ id: waiting?.id ?? '' });
    expect(carried).toHaveLength(1);
  });

  it('is taken once: the other way round is refused, with who was first', async () => {
    const { holdId: id } = await as('discovery/main').requestChange(large);
    await as('operator/ada').dropHold({ id });
    expect(await as('operator/bob').dropHold({ id })).toMatchObject({ hold: { decidedBy: 'operator/ada' } });
    expect(await codeOf(as('operator/bob').releaseHold({ id }))).toBe('FailedPrecondition');
    expect(await as('discovery/main').requestChange(large)).toMatchObject({
      verdict: GuardVerdict.DROPPED,
      holdId: id,
    });
  });

  it('is about a hold that there is', async () => {
    expect(await codeOf(as('operator/ada').releaseHold({ id: 'x' }))).toBe('NotFound');
  });
});
