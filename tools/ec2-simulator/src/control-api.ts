import { AwsError } from './aws-error.ts';
import type { ControlRoute, ControlRouteRequest, Extension } from './extension.ts';
import type { FleetControl, InstanceRef, InstanceView } from './fleet-control.ts';
import { credentialsJson, milliseconds, registerCredentials } from './sts/control-routes.ts';
import type { StsControl } from './sts/sts-control.ts';
import { readObject, readRun, readState, readTagChanges, readTags } from './control-bodies.ts';
import { readFaults } from './fault-bodies.ts';

export const CONTROL_PREFIX = '/_control/';

export interface ControlRequest {
  readonly method: string;
  readonly url: URL;
  /** The body's text, empty when there is none. */
  readonly body: string;
}

type Route = (
  request: ControlRouteRequest & { readonly control: FleetControl; readonly sts: StsControl },
) => unknown;

/** By method and path; `*` is one part of the path. */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['GET health', () => ({ status: 'ok' })],
  ['GET stats', ({ control }) => control.report()],
  [
    'GET instances',
    ({ control, query }) => {
      const views = control.list({
        region: query.get('region') ?? control.regions[0] ?? '',
        account: query.get('account') ?? undefined,
        limit: query.has('limit') ? readLimit(query.get('limit') ?? '') : undefined,
        after: query.get('after') ?? undefined,
      });
      return { instances: views.map(viewJson) };
    },
  ],
  ['GET instances * *', ({ control, ...request }) => viewJson(control.get(refOf(request)))],
  [
    'PUT instances * * tags',
    ({ control, body, ...request }) =>
      viewJson(control.replaceTags(refOf(request), readTags(body['tags'], 'tags'))),
  ],
  [
    'POST instances * * tags',
    ({ control, body, ...request }) => viewJson(control.changeTags(refOf(request), readTagChanges(body))),
  ],
  [
    'PATCH instances * *',
    ({ control, body, ...request }) => viewJson(control.setState(refOf(request), readState(body))),
  ],
  ['POST instances * * terminate', ({ control, ...request }) => viewJson(control.terminate(refOf(request)))],
  [
    'POST instances * * credentials',
    ({ control, sts, body, ...request }) =>
      credentialsJson(sts.registerInstance(control.get(refOf(request)), milliseconds(body))),
  ],
  ['POST sts credentials', ({ sts, body }) => registerCredentials(body, sts)],
  ['POST run', ({ control, body }) => ({ instances: control.run(readRun(body)).map(viewJson) })],
  [
    'POST faults',
    ({ control, body }) => {
      for (const fault of readFaults(body)) control.addFault(fault);
      return { pending: control.faults.pending };
    },
  ],
  [
    'DELETE faults',
    ({ control }) => {
      control.faults.clear();
      return { pending: 0 };
    },
  ],
  [
    'POST reset',
    ({ control }) => {
      control.reset();
      return { instances: control.size };
    },
  ],
]);

export interface ControlContext {
  readonly control: FleetControl;
  readonly sts: StsControl;
  readonly extensions: readonly Extension[];
}

/** Answers a control request with a value for JSON, or a promise of one. Throws AwsError. */
export function handleControl(
  request: ControlRequest,
  { extensions, control, sts }: ControlContext,
): unknown {
  const parts = request.url.pathname.slice(CONTROL_PREFIX.length).split('/').map(decodePart);
  for (const routes of [ROUTES, ...extensions.map(({ routes = NO_ROUTES }) => routes)]) {
    const route = findRoute(routes, request.method, parts);
    if (route === undefined) continue;
    return route({ parts, query: request.url.searchParams, body: readObject(request.body), control, sts });
  }
  throw new AwsError('NotFound', `no such control request: ${request.method} ${request.url.pathname}`, 404);
}

const NO_ROUTES: ReadonlyMap<string, ControlRoute> = new Map();

function findRoute(
  routes: ReadonlyMap<string, Route>,
  method: string,
  parts: readonly string[],
): Route | undefined {
  for (const [pattern, route] of routes) {
    const [wantedMethod, ...wanted] = pattern.split(' ');
    if (wantedMethod !== method || wanted.length !== parts.length) continue;
    if (wanted.every((part, index) => part === '*' || part === parts[index])) return route;
  }
  return undefined;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AwsError('BadRequest', 'the path is not percent-encoded UTF-8');
  }
}

function refOf({ parts, query }: { parts: readonly string[]; query: URLSearchParams }): InstanceRef {
  const [, region = '', id = ''] = parts;
  return { region, id, account: query.get('account') ?? undefined };
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new AwsError('BadRequest', 'limit: a whole number from 1');
  return Number(text);
}

/** A tag's key may be `__proto__`: fromEntries makes it a property like any other. */
function viewJson({ tags, ...rest }: InstanceView): object {
  return { ...rest, tags: Object.fromEntries(tags) };
}
