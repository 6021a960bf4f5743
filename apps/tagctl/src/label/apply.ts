import { UpsertStatus, draftToMessage, serverInfoFromMessage } from '@tagplane/protocol';
import { SECOND, fullJitter, sleep } from '@tagplane/runtime';
import { findServerInfo } from '../commands/server-infos.ts';
import type { CommandContext } from '../context.ts';
import { createdView } from '../create/write-server-infos.ts';
import { TagctlError } from '../errors.ts';
import type { Tried } from '../preview/preview.ts';
import type { LabelOrder, LabelPlan } from './plan.ts';
import { planLabels } from './plan.ts';
import type { LabelTarget } from './target.ts';

/** What is to be done now: by the ServerInfo as it is in the store. */
export type ActivePlan = Exclude<LabelPlan, { kind: 'nothing' | 'refused' }>;

export type Applied =
  | { readonly status: 'ACCEPTED'; readonly revision: number }
  | { readonly status: 'REMOVED' }
  | { readonly status: 'UNCHANGED' }
  | { readonly status: 'HELD'; readonly holdId: string; readonly reason: string };

/** More often than this nobody writes the same labels at the same time. */
const MAX_ATTEMPTS = 8;
const RETRY = { baseMs: SECOND / 10, maxMs: SECOND };

/**
 * What the order makes of the ServerInfo there is; undefined: it is so already.
 *
 * @throws TagctlError when it cannot be done
 */
export async function planNow(
  context: CommandContext,
  target: LabelTarget,
  order: LabelOrder,
): Promise<ActivePlan | undefined> {
  const message = await findServerInfo(context, target.name);
  const there = message && serverInfoFromMessage(message);
  if (message !== undefined && there === undefined) {
    throw new TagctlError(`ServerInfo ${target.name} is of a kind that this version does not know`);
  }
  const plan = planLabels(order, target, there, context.io.now());
  if (plan.kind === 'refused') throw new TagctlError(plan.reason);
  return plan.kind === 'nothing' ? undefined : plan;
}

/** For a preview. */
export function triedBy(plan: ActivePlan, { name }: LabelTarget): Tried {
  if (plan.kind === 'remove') return { serverInfos: [], deleteNames: [name] };
  return { serverInfos: [draftToMessage(plan.draft)], deleteNames: [] };
}

/**
 * Carries the order out, anew when someone else wrote the same ServerInfo meanwhile. `before` is called
 * with each plan before it is tried.
 *
 * @throws TagctlError when it cannot be done
 */
export async function applyLabels(
  context: CommandContext,
  target: LabelTarget,
  order: LabelOrder,
  before: (plan: ActivePlan) => Promise<void>,
): Promise<Applied> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const plan = await planNow(context, target, order);
    if (plan === undefined) return { status: 'UNCHANGED' };
    await before(plan);
    const applied = await carryOut(context, target, plan);
    if (applied !== undefined) return applied;
    await sleep(fullJitter(attempt, RETRY), context.io.signal);
  }
  throw new TagctlError(`ServerInfo ${target.name} is written by others all the time; try again`);
}

/** Undefined when someone else was faster. */
async function carryOut(
  { api, io }: CommandContext,
  { name }: LabelTarget,
  plan: ActivePlan,
): Promise<Applied | undefined> {
  const options = { signal: io.signal };
  if (plan.kind === 'remove') {
    const { holdId } = await api.serverInfos.deleteServerInfos({ names: [name] }, options);
    return holdId === '' ? { status: 'REMOVED' } : { status: 'HELD', holdId, reason: '' };
  }
  const { draft, createOnly } = plan;
  const request = { serverInfos: [draftToMessage(draft)], createOnly };
  const [result] = (await api.serverInfos.upsertServerInfos(request, options)).results;
  if (result?.status === UpsertStatus.CONFLICT) return undefined;
  const view = createdView(name, result, createOnly);
  if (view.status === 'ACCEPTED') return { status: 'ACCEPTED', revision: view.revision ?? 0 };
  if (view.status === 'HELD')
    return { status: 'HELD', holdId: view.hold_id ?? '', reason: result?.reason ?? '' };
  throw new TagctlError(`server_info ${name}: ${view.reason ?? view.status}`);
}
