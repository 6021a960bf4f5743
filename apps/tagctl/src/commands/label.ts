import type { CommandBody, CommandContext } from '../context.ts';
import { heldText } from '../create/write-server-infos.ts';
import { EXIT_FAILED, EXIT_HELD, EXIT_OK } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { printDocument } from '../format/print.ts';
import type { LabelFlags } from '../groups/label.ts';
import type { ActivePlan, Applied } from '../label/apply.ts';
import { applyLabels, planNow, triedBy } from '../label/apply.ts';
import type { LabelOrder } from '../label/plan.ts';
import type { LabelTarget } from '../label/target.ts';
import { readTarget } from '../label/target.ts';
import type { Waited } from '../label/wait.ts';
import { lateText, progressText, waitForNodes } from '../label/wait.ts';
import { readKeys, readLabels } from '../label/words.ts';
import { preview, printPreview } from '../preview/preview.ts';
import type { LabelChangeView } from '../views/label-change.ts';

/** `label set`. */
export function setLabels(words: readonly string[], flags: LabelFlags): CommandBody {
  return (context) => label(context, { kind: 'set', labels: readLabels(words), ttlMs: flags.ttl }, flags);
}

/** `label unset`. */
export function unsetLabels(words: readonly string[], flags: LabelFlags): CommandBody {
  return (context) => label(context, { kind: 'unset', words: readKeys(words) }, flags);
}

async function label(context: CommandContext, order: LabelOrder, flags: LabelFlags): Promise<number> {
  const target = readTarget(flags);
  if (flags.dryRun === true) {
    const plan = await planNow(context, target, order);
    const tried = plan === undefined ? { serverInfos: [], deleteNames: [] } : triedBy(plan, target);
    return await printPreview(context, tried, { document: { server_info: target.name } });
  }
  const wait = flags.wait ?? context.io.stdout.size() !== undefined;
  let changes: LabelChangeView[] = [];
  const applied = await applyLabels(context, target, order, async (plan) => {
    // Which nodes it is about is asked before: afterwards there is nothing to compare with.
    if (wait) changes = await changesBy(context, plan, target);
  });
  const done = applied.status === 'ACCEPTED' || applied.status === 'REMOVED';
  if (context.format === 'table') await printApplied(context, target, applied);
  const waited = wait && done ? await waitForNodes(context, changes, flags.timeout) : undefined;
  if (context.format !== 'table')
    await printDocument(context.format, view(target, applied, waited), context.io);
  else if (waited !== undefined) await printWaited(context, waited, flags.timeout);
  if (applied.status === 'HELD') return EXIT_HELD;
  return waited?.done === false ? EXIT_FAILED : EXIT_OK;
}

async function changesBy(
  context: CommandContext,
  plan: ActivePlan,
  target: LabelTarget,
): Promise<LabelChangeView[]> {
  const changes: LabelChangeView[] = [];
  await preview(context, triedBy(plan, target), (change) => {
    changes.push(change);
  });
  return changes;
}

async function printApplied({ io }: CommandContext, { name }: LabelTarget, applied: Applied): Promise<void> {
  const shown = `server_info ${visible(name)}`;
  if (applied.status === 'HELD') {
    await io.stderr.write(`tagctl: ${shown} ${visible(heldText(applied.holdId, applied.reason))}\n`);
    return;
  }
  await io.stdout.write(`${shown} ${BECAME[applied.status]}\n`);
}

const BECAME = {
  ACCEPTED: 'stored',
  REMOVED: 'removed: it has no label left',
  UNCHANGED: 'unchanged',
} as const;

async function printWaited({ io }: CommandContext, waited: Waited, timeoutMs: number): Promise<void> {
  await io.stdout.write(`${progressText(waited)}\n`);
  if (!waited.done) await io.stderr.write(`tagctl: ${lateText(waited, timeoutMs)}\n`);
}

function view({ name }: LabelTarget, applied: Applied, waited: Waited | undefined): object {
  return {
    name,
    status: applied.status,
    ...(applied.status === 'ACCEPTED' ? { revision: applied.revision } : {}),
    ...(applied.status === 'HELD' ? { hold_id: applied.holdId } : {}),
    ...(waited === undefined
      ? {}
      : {
          nodes: {
            affected: waited.affected,
            have: waited.have,
            waiting: waited.waiting,
            not_connected: waited.notConnected,
          },
        }),
  };
}
