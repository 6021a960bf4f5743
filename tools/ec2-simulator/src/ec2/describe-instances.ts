import { invalidCombination } from '../aws-error.ts';
import type { SimInstance } from '../fleet/instance.ts';
import type { ServiceRequest } from '../service.ts';
import { escapeXml, xml } from '../xml.ts';
import type { Action, ActionContext } from './action.ts';
import { compileFilters, instanceTexts, readFilters } from './filters.ts';
import { findInstances } from './instance-ids.ts';
import { instanceXml } from './instance-xml.ts';
import { pageOfToken } from './page-token.ts';
import { maxResults, refuseDryRun, textsOf } from './parameters.ts';

/** Instances in one piece of an answer: about 1 MB of text. */
const PIECE = 200;

export const describeInstances: Action = (request, context) => {
  const { parameters } = request;
  const ids = textsOf(parameters, 'InstanceId');
  const limit = maxResults(parameters);
  if (ids.length > 0 && limit !== undefined) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  refuseDryRun(parameters);
  // EC2 may give less than it was asked for.
  const size = ids.length > 0 ? undefined : smallest(limit, context.pageSize);
  const { instances, nextToken } = select(request, context, ids, size);
  return answer(instances, nextToken, request.now);
};

function smallest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : Math.min(a, b ?? a);
}

function select(
  request: ServiceRequest,
  { fleet, tokens }: ActionContext,
  ids: readonly string[],
  limit: number | undefined,
): { instances: SimInstance[]; nextToken: string | undefined } {
  const { caller, parameters, now } = request;
  const filters = readFilters(parameters);
  const matches = compileFilters(filters, instanceTexts(now));
  const query = JSON.stringify(['DescribeInstances', caller.account, caller.region, ids, filters]);
  const token = parameters.get('NextToken');
  const start = token === null || token === '' ? 0 : tokens.read(query, token, now);
  const candidates =
    ids.length > 0 ? findInstances(fleet, caller, ids) : fleet.after(caller.account, caller.region, start);
  const page = token === null || token === '' ? 1 : pageOfToken(token);
  const instances: SimInstance[] = [];
  if (request.view === 'empty') return { instances, nextToken: undefined };
  for (const candidate of candidates) {
    const instance = fleet.described(candidate, request.view === 'stale');
    if (instance === undefined || !matches(instance)) continue;
    if (instances.length === limit) {
      // One more than the page: only now is it sure that another page is not empty.
      return { instances, nextToken: tokens.issue(query, instances.at(-1)?.sequence ?? 0, now, page + 1) };
    }
    instances.push(instance);
  }
  return { instances, nextToken: undefined };
}

function* answer(
  instances: readonly SimInstance[],
  nextToken: string | undefined,
  now: number,
): Generator<string, void, undefined> {
  yield '\n<reservationSet>';
  let open: string | undefined;
  for (let i = 0; i < instances.length; i += PIECE) {
    let piece = '';
    for (const instance of instances.slice(i, i + PIECE)) {
      if (instance.reservationId !== open) {
        if (open !== undefined) piece += RESERVATION_END;
        piece += reservationHead(instance);
        open = instance.reservationId;
      }
      piece += instanceXml(instance, now);
    }
    yield piece;
  }
  if (open !== undefined) yield RESERVATION_END;
  yield '\n</reservationSet>';
  if (nextToken !== undefined) yield `\n<nextToken>${escapeXml(nextToken)}</nextToken>`;
}

function reservationHead({ reservationId, account }: SimInstance): string {
  return xml`
        <item>
            <reservationId>${reservationId}</reservationId>
            <ownerId>${account}</ownerId>
            <groupSet/>
            <instancesSet>`;
}

const RESERVATION_END = xml`
            </instancesSet>
        </item>`;
