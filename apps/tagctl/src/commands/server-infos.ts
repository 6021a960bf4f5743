import { Code, ConnectError } from '@connectrpc/connect';
import type { CommandBody } from '../context.ts';
import { EXIT_FAILED, EXIT_OK, TagctlError } from '../errors.ts';
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
  return async ({ api, format, io }) => {
    try {
      const { serverInfo } = await api.serverInfos.getServerInfo({ name }, { signal: io.signal });
      if (serverInfo !== undefined) {
        await printOne(format, serverInfoTable, serverInfoView(serverInfo), io);
        return EXIT_OK;
      }
    } catch (error) {
      if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    }
    throw new TagctlError(`no ServerInfo '${name}'; 'tagctl server-infos ls' lists them`);
  };
}

/** `server-infos rm NAME…`: exit 1 when one of them was not there. */
export function removeServerInfos(wanted: readonly string[]): CommandBody {
  return async ({ api, format, io }) => {
    const names = [...new Set(wanted)];
    const deleted: string[] = [];
    for (let at = 0; at < names.length; at += NAMES_PER_REQUEST) {
      const part = names.slice(at, at + NAMES_PER_REQUEST);
      const answer = await api.serverInfos.deleteServerInfos({ names: part }, { signal: io.signal });
      deleted.push(...answer.deleted);
    }
    const gone = new Set(deleted);
    const missing = names.filter((name) => !gone.has(name));
    if (format === 'table') {
      await io.stdout.write(deleted.map((name) => `server_info ${visible(name)} removed\n`).join(''));
      await io.stderr.write(missing.map((name) => `tagctl: no ServerInfo '${visible(name)}'\n`).join(''));
    } else {
      await printDocument(format, { deleted, missing }, io);
    }
    return missing.length === 0 ? EXIT_OK : EXIT_FAILED;
  };
}
