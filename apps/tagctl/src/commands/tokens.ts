import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Role, instanceToMessage } from '@tagplane/protocol';
import type { AddTokenResponse } from '@tagplane/protocol';
import { errorMessage, writeAtomically } from '@tagplane/runtime';
import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { listPrinter, printDetails, printDocument } from '../format/print.ts';
import type { TokenFlags } from '../groups/tokens.ts';
import { pages } from '../pages.ts';
import { removeEach } from '../remove-each.ts';
import { joinHint } from '../tokens/join-hint.ts';
import { newTokenView, tokenTable, tokenView } from '../views/token.ts';

const ROLES = { agent: Role.AGENT, discovery: Role.DISCOVERY, operator: Role.OPERATOR } as const;

/** `tokens add`: the one time that the token is shown. */
export function addToken(flags: TokenFlags): CommandBody {
  return async ({ api, settings, format, io }) => {
    const answer = await api.tokens.addToken(
      {
        role: ROLES[flags.role],
        name: flags.name ?? '',
        uses: flags.uses ?? 0,
        ...(flags.instance === undefined ? {} : { awsInstance: instanceToMessage(flags.instance) }),
        ...(flags.ttl === undefined ? {} : { ttl: durationFromMs(flags.ttl) }),
      },
      { signal: io.signal },
    );
    if (answer.token === undefined) throw new TagctlError('the auth service sent no token');
    if (flags.out !== undefined) await writeToken(flags.out, answer, { api, io });
    const view = newTokenView(answer.token, answer, flags.out);
    if (format !== 'table') {
      await printDocument(format, view, io);
      return EXIT_OK;
    }
    await printDetails(tokenTable.details(view, io.now()), io);
    await io.stdout.write(joinHint(view, settings.addressText));
    return EXIT_OK;
  };
}

/** Nobody has a token that could not be written: it is taken back. */
async function writeToken(
  out: string,
  { secretToken, token }: AddTokenResponse,
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
): Promise<void> {
  try {
    await writeAtomically(out, `${secretToken}\n`);
  } catch (error) {
    await api.tokens.removeToken({ id: token?.id ?? '' }, { signal: io.signal });
    const problem = `--out: ${out} cannot be written, and the token was removed: ${errorMessage(error)}`;
    throw new TagctlError(problem, { cause: error });
  }
}

/** `tokens ls`. */
export const listTokens: CommandBody = async ({ api, format, io }) => {
  const printer = listPrinter(format, tokenTable, io);
  const all = pages(async (request) => {
    const page = await api.tokens.listTokens(request, { signal: io.signal });
    return { items: page.tokens, next: page.nextPageToken };
  });
  for await (const tokens of all) await printer.add(tokens.map(tokenView));
  await printer.end();
  return EXIT_OK;
};

/** `tokens rm ID…`: exit 1 when one of them was not there. */
export function removeTokens(ids: readonly string[]): CommandBody {
  return ({ api, format, io }) =>
    removeEach({ what: 'token', ids, format, io }, async (id) => {
      return (await api.tokens.removeToken({ id }, { signal: io.signal })).removed;
    });
}
