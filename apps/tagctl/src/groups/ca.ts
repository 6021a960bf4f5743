import type { Command } from 'commander';
import { Option } from 'commander';
import { flagsOf } from '../flags.ts';
import type { Runner } from './runner.ts';
import { examples } from './runner.ts';

export const ROTATION_STEPS = ['trust', 'sign', 'drop', 'cancel'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

/** What `ca rotate` was told. */
export interface RotateFlags {
  readonly phase?: RotationStep;
  readonly force?: boolean;
  readonly now?: boolean;
}

const ROTATE_NOTES = `
Three steps: a new authority is trusted beside the old one, then it signs, then the old one is
dropped. Between them everyone connected follows by itself; before the last one, the certificates of
the old authority end, which takes as long as a certificate lives. Interrupt it at any time: the
rotation stays where it is, and the same command goes on from there; --phase cancel goes one step back.
${examples('tagctl ca rotate', 'tagctl ca rotate --now', 'tagctl ca rotate --phase cancel')}`;

export function addCa(program: Command, run: Runner): void {
  const ca = program.command('ca').description('the certificate authorities of the cluster');
  const commands = () => import('../commands/ca.ts');
  ca.command('status')
    .description('which authorities there are, who follows, and what is next')
    .addHelpText('after', examples('tagctl ca status', 'tagctl ca status --format json'))
    .action((_options: unknown, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).showCaStatus),
    );
  ca.command('rotate')
    .description('replace the authority by a new one, step by step')
    .addOption(new Option('--phase <STEP>', 'this step only, without waiting').choices(ROTATION_STEPS))
    .option('--force', 'also when somebody connected does not follow')
    .option('--now', 'drop the old authority before its certificates have ended')
    .addHelpText('after', ROTATE_NOTES)
    .action((flags: RotateFlags, command: Command) =>
      run.connected(flagsOf(command), async () => (await commands()).rotateCa(flags)),
    );
}
