import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { printDetails, printDocument } from '../format/print.ts';
import type { RotateFlags } from '../groups/ca.ts';
import { rotateAll, rotateStep } from '../rotation/run.ts';
import { caStatusDetails } from '../views/ca-details.ts';
import type { CaStatusView } from '../views/ca.ts';
import { caStatusView } from '../views/ca.ts';

/** `ca status`. */
export const showCaStatus: CommandBody = async (context) => {
  const { api, io } = context;
  await printStatus(caStatusView(await api.ca.getCaStatus({}, { signal: io.signal })), context);
  return EXIT_OK;
};

/** `ca rotate`: one step, or all of them. Interrupted, it says how to go on, and exits 1. */
export function rotateCa({ phase, force = false, now: dropNow = false }: RotateFlags): CommandBody {
  return async (context) => {
    const { api, io } = context;
    if (phase !== undefined) {
      // Who asks for a step is connected too, and must not be the one who stands in its way.
      await context.follow(io.signal);
      await printStatus(await rotateStep({ ca: api.ca, signal: io.signal }, phase, force), context);
      return EXIT_OK;
    }
    const options = { force, dropNow };
    const follow = (signal: AbortSignal): Promise<void> => context.follow(signal);
    try {
      const say = progress(context);
      const done = await rotateAll({
        ca: api.ca,
        options,
        follow,
        say,
        signal: io.signal,
        now: () => io.now(),
      });
      await printStatus(done, context);
      return EXIT_OK;
    } catch (error) {
      if (!io.signal.aborted) throw error;
      await io.stderr.write(
        "tagctl: interrupted; the rotation stays where it is: 'tagctl ca rotate' goes on, 'tagctl ca rotate --phase cancel' goes one step back\n",
      );
      return EXIT_FAILED;
    }
  };
}

/** On stderr, so that the state at the end is all there is on stdout. */
function progress({ io }: CommandContext): (line: string) => Promise<void> {
  let last = '';
  return async (line) => {
    if (line === last) return;
    last = line;
    await io.stderr.write(`${visible(line)}\n`);
  };
}

async function printStatus(view: CaStatusView, { format, io }: CommandContext): Promise<void> {
  if (format === 'table') await printDetails(caStatusDetails(view, io.now()), io);
  else await printDocument(format, view, io);
}
