import { Code, ConnectError } from '@connectrpc/connect';
import type { ServerInfo } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { heldText } from '../create/write-server-infos.ts';
import { EXIT_FAILED, EXIT_HELD, EXIT_OK, TagctlError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { listPrinter, printDocument, printOne } from '../format/print.ts';
import { pages } from '../pages.ts';
import { serverInfoTable } from '../views/server-info-table.ts';
import { serverInfoView } from '../views/server-info.ts';

/** What one request may carry. */
const NAMES_PER_REQUEST = 1_000;

/** `server-infos ls`: assigned ones first, then discovered ones, each in the order of their names. */
export function listServerInfos(limit: number | undefined): CommandBody {
  return async ({ api, format, io }) => {
    const printer = listPrinter(format, serverInfoTable, io);
    const all = pages(async (request) => {
      const page = await api.serverInfos.listServerInfos(request, { signal: io.signal });
      return { items: page.serverInfos, next: page.nextPageToken };
    }, limit);
    for await (const infos of all) await printer.add(infos.map(serverInfoView));
    await printer.end();
    return EXIT_OK;
  };
}

/** `server-infos get NAME`. */
export function getServerInfo(name: string): CommandBody {
  return async (context) => {
    const info = await findServerInfo(context, name);
    if (info === undefined) throw noSuchServerInfo(name);
    await printOne(context.format, serverInfoTable, serverInfoView(info), context.io);
    return EXIT_OK;
  };
}

/** Undefined when there is none of this name. */
export async function findServerInfo(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  name: string,
): Promise<ServerInfo | undefined> {
  try {
    return (await api.serverInfos.getServerInfo({ name }, { signal: io.signal })).serverInfo;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
    throw error;
  }
}

export function noSuchServerInfo(name: string): TagctlError {
  return new TagctlError(`no ServerInfo '${name}'; 'tagctl server-infos ls' lists them`);
}

/** `server-infos rm NAME…`: exit 1 when one of them was not there, 4 when the guard holds it. */
export function removeServerInfos(wanted: readonly string[]): CommandBody {
  return async ({ api, format, io }) => {
    const names = [...new Set(wanted)];
    const deleted: string[] = [];
    const missing: string[] = [];
    const holds: string[] = [];
    for (let at = 0; at < names.length; at += NAMES_PER_REQUEST) {
      const part = names.slice(at, at + NAMES_PER_REQUEST);
      const answer = await api.serverInfos.deleteServerInfos({ names: part }, { signal: io.signal });
      deleted.push(...answer.deleted);
      if (answer.holdId === '') missing.push(...part.filter((name) => !answer.deleted.includes(name)));
      else holds.push(answer.holdId);
    }
    if (format === 'table') {
      await io.stdout.write(deleted.map((name) => `server_info ${visible(name)} removed\n`).join(''));
      await io.stderr.write(missing.map((name) => `tagctl: no ServerInfo '${visible(name)}'\n`).join(''));
      await io.stderr.write(holds.map((id) => `tagctl: ${visible(heldText(id))}\n`).join(''));
    } else {
      await printDocument(format, { deleted, missing, ...(holds.length === 0 ? {} : { holds }) }, io);
    }
    if (holds.length > 0) return EXIT_HELD;
    return missing.length === 0 ? EXIT_OK : EXIT_FAILED;
  };
}
