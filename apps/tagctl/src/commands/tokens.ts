import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Role, instanceToMessage } from '@tagplane/protocol';
import type { CommandBody } from '../context.ts';
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
    const view = newTokenView(answer.token, answer);
    if (format !== 'table') {
      await printDocument(format, view, io);
      return EXIT_OK;
    }
    await printDetails(tokenTable.details(view, io.now()), io);
    await io.stdout.write(joinHint(view, settings.addressText));
    return EXIT_OK;
  };
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
