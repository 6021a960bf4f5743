import { parseArgs } from 'node:util';
import type { DecisionDocument } from '@tagplane/access';
import type { Command } from '@tagplane/runtime';
import { ConfigError } from '@tagplane/runtime';
import { traitsOf } from '../decide/question.ts';
import { QuestionRefusedError } from '../local-client.ts';
import { BadQuestionError } from '../local-question.ts';
import { LOCAL_OPTIONS, askLocally, readOptions, whereHelp } from './local.ts';
import { printable } from './table.ts';

const OPTIONS = {
  ...LOCAL_OPTIONS,
  login: { type: 'string' },
  roles: { type: 'string', multiple: true },
  trait: { type: 'string', multiple: true },
} as const;

const USAGE = 'check --login LOGIN --roles ROLE,…';

/** Exit codes beside 0: that of `tagctl access check` for the same answer. */
const DENIED = 3;

const HELP = `tagplane-agent ${USAGE} [--trait NAME=VALUE]… [--socket PATH | --config FILE] [--format json|table]

Asks the agent whether who holds these roles may log in here now, and why.
${whereHelp()}
Exit codes: 0 allowed, 3 denied, 1 when the agent cannot be asked, 2 for a bad command line.

JSON
  allowed        true or false
  granted_by     [ROLE], those that allow it
  reason         granted | denied | not-granted | no-roles | no-login | unavailable
  detail         the same in a sentence
  facts          [{role, outcome, effect, rule, truth, labels, text}], what each rule found
  facts_omitted  how many more there are
`;

export const checkCommand: Command = {
  usage: USAGE,
  summary: 'ask whether a login is allowed here now, and why',
  async run(args, io) {
    const options = readOptions('check', () => parseArgs({ args: [...args], options: OPTIONS }).values);
    if (options.help) {
      io.stdout.write(HELP);
      return 0;
    }
    const question = questionOf(options);
    let document: DecisionDocument | undefined;
    try {
      document = (await askLocally('/v1/decide', options, io, question)) as DecisionDocument | undefined;
    } catch (error) {
      if (error instanceof QuestionRefusedError)
        throw new ConfigError(`check: ${error.message}`, { cause: error });
      throw error;
    }
    if (document === undefined) return 1;
    const json = options.format === 'json';
    io.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : checkText(document));
    return document.allowed ? 0 : DENIED;
  },
};

function questionOf({
  login,
  roles = [],
  trait = [],
}: {
  readonly login?: string | undefined;
  readonly roles?: readonly string[];
  readonly trait?: readonly string[];
}): unknown {
  if (login === undefined) throw new ConfigError('check: --login is missing');
  try {
    const names = roles.flatMap((text) => text.split(',')).filter((name) => name !== '');
    return { login, roles: names, traits: Object.fromEntries(traitsOf(trait)) };
  } catch (error) {
    if (error instanceof BadQuestionError)
      throw new ConfigError(`check: --${error.message}`, { cause: error });
    throw error;
  }
}

/** The answer, and a line for each fact, for people. */
export function checkText({
  allowed,
  reason,
  detail,
  facts,
  facts_omitted: omitted,
}: DecisionDocument): string {
  const head = allowed || reason === 'denied' ? detail : `denied: ${detail}`;
  const more = omitted === 0 ? [] : [`  and ${omitted} more`];
  return [head, ...facts.map(({ text }) => `  ${text}`), ...more]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
