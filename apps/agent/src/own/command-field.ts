import { MAX_OWN_LABELS, ownLabelsProblem } from '@tagplane/labels';
import { durationField } from '@tagplane/runtime';
import * as z from 'zod';

/** A label whose value a program says. */
export interface LabelCommand {
  /** The label's key. */
  readonly name: string;
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]];
  /** Milliseconds from one start to the next. */
  readonly periodMs: number;
  /** Milliseconds it may take. */
  readonly timeoutMs: number;
}

const MAX_WORDS = 64;

const nameField = z.string().superRefine((name, context) => {
  const problem = ownLabelsProblem(new Map([[name, '']]));
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const wordsField = z
  .array(
    z.string('expected text; put it in quotes').max(4_096),
    'expected a list: the program, its arguments',
  )
  .max(MAX_WORDS)
  .transform(([program, ...words], context): LabelCommand['command'] => {
    if (program !== undefined && program !== '') return [program, ...words];
    context.addIssue({ code: 'custom', message: 'expected a program' });
    return z.NEVER;
  });

const commandField = z
  .strictObject({
    name: nameField,
    command: wordsField,
    // Each run is a process: more often than every 10 s is a load, and no label.
    period: durationField({ min: '10s', max: '24h' }).prefault('1h'),
    timeout: durationField({ min: '100ms', max: '10m' }).prefault('10s'),
  })
  .transform(({ name, command, period, timeout }): LabelCommand => {
    return { name, command, periodMs: period, timeoutMs: timeout };
  });

/** Labels from commands, each under a key of its own. */
export const commandsField = z
  .array(commandField)
  .max(MAX_OWN_LABELS)
  .superRefine((commands, context) => {
    const names = new Set<string>();
    commands.forEach(({ name }, index) => {
      if (names.has(name)) {
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'another command has this name' });
      }
      names.add(name);
    });
  });

/** Why these labels cannot stand beside those in the configuration; undefined: they can. */
export function commandsProblem(
  commands: readonly LabelCommand[],
  labels: ReadonlyMap<string, string>,
): { readonly path: readonly (string | number)[]; readonly message: string } | undefined {
  const twice = commands.findIndex(({ name }) => labels.has(name));
  if (twice >= 0)
    return { path: ['commands', twice, 'name'], message: 'labels has a label of this name too' };
  const count = commands.length + labels.size;
  if (count <= MAX_OWN_LABELS) return undefined;
  const message = `with labels these are ${count}, but a node has at most ${MAX_OWN_LABELS} of its own`;
  return { path: ['commands'], message };
}
