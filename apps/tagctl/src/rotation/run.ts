import { Code, ConnectError } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import type { CaService } from '@tagplane/protocol';
import { CaStep } from '@tagplane/protocol';
import { MINUTE, SECOND, sleep } from '@tagplane/runtime';
import { TagctlError } from '../errors.ts';
import { isLostConnection, reasonOf } from '../explain.ts';
import type { RotationStep } from '../groups/ca.ts';
import type { CaStatusView } from '../views/ca.ts';
import { caStatusView } from '../views/ca.ts';
import type { RotationOptions } from './plan.ts';
import { nextMove } from './plan.ts';

/** Who follows changes by the second; old certificates end after hours. */
const SOON_MS = SECOND;
const LATE_MS = 15 * SECOND;
/** An auth service restarts in seconds; a person can start the command again. */
const LOST_MS = 2 * MINUTE;
/** How often a step that nothing stands in the way of may be refused: somebody may just have connected. */
const MAX_REFUSALS = 30;

const STEPS: Readonly<Record<RotationStep, CaStep>> = {
  trust: CaStep.TRUST,
  sign: CaStep.SIGN,
  drop: CaStep.DROP,
  cancel: CaStep.CANCEL,
};

export interface RotationRun {
  readonly ca: Client<typeof CaService>;
  readonly options: RotationOptions;
  /** Makes tagctl itself follow: it is one of those who are waited for. */
  follow(signal: AbortSignal): Promise<void>;
  /** Told in words what happens; equal words in a row are one. */
  say(line: string): Promise<void>;
  readonly signal: AbortSignal;
  now(): number;
}

/** One step. @throws ConnectError FAILED_PRECONDITION when it is not the next one, or somebody does not follow */
export async function rotateStep(
  run: Pick<RotationRun, 'ca' | 'signal'>,
  step: RotationStep,
  force: boolean,
): Promise<CaStatusView> {
  const { status } = await run.ca.rotateCa({ step: STEPS[step], force }, { signal: run.signal });
  if (status === undefined) throw new TagctlError('the auth service did not say what the step led to');
  return caStatusView(status);
}

/**
 * All steps, one after the other, with the waits between them; resolves to the state after the last.
 *
 * @throws the signal's reason when it aborts: the rotation then stays where it is
 */
export async function rotateAll(run: RotationRun): Promise<CaStatusView> {
  const { signal } = run;
  let begun = false;
  let refusals = 0;
  let lostAt: number | undefined;
  for (;;) {
    try {
      await run.follow(signal);
      const status = caStatusView(await run.ca.getCaStatus({}, { signal }));
      const move = nextMove(status, begun, run.options, run.now());
      lostAt = undefined;
      // Seen, not asked for: a step whose answer was lost may not have been made.
      begun ||= status.phase !== 'STABLE';
      if (move.kind === 'done') return status;
      if (move.kind === 'wait') {
        await run.say(`${status.phase}: ${move.reason}`);
        await sleep(move.soon ? SOON_MS : LATE_MS, signal);
        continue;
      }
      await run.say(sayStep(move.step));
      await rotateStep(run, move.step, run.options.force);
      begun = true;
      refusals = 0;
    } catch (error) {
      if (signal.aborted) throw error;
      if (isRefusal(error) && refusals < MAX_REFUSALS) {
        refusals += 1;
      } else if (!isLostConnection(error) || run.now() - (lostAt ??= run.now()) >= LOST_MS) {
        throw error;
      }
      await run.say(`${reasonOf(error)}; trying again`);
      await sleep(SOON_MS, signal);
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.FailedPrecondition;
}

function sayStep(step: RotationStep): string {
  switch (step) {
    case 'trust':
      return 'trust: making a new authority, trusted beside the old one';
    case 'sign':
      return 'sign: the new authority signs from now on';
    case 'drop':
      return 'drop: the old authority is trusted no more';
    case 'cancel':
      return 'cancel: one step back';
  }
}
