import { Code, ConnectError } from '@connectrpc/connect';
import { selectorToMessage } from '@tagplane/protocol';
import type { CommandBody } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { listPrinter, printOne } from '../format/print.ts';
import { pages } from '../pages.ts';
import { readSelector } from '../selectors/read.ts';
import { nodeTable } from '../views/node-table.ts';
import { nodeView } from '../views/node.ts';

export interface ListNodesFlags {
  readonly limit?: number;
  readonly selector?: string;
}

/** `nodes ls`: every node that the selector picks, in the order of their server ids. */
export function listNodes({ limit, selector }: ListNodesFlags): CommandBody {
  return async ({ api, format, io }) => {
    const filter = selector === undefined ? {} : { selector: selectorToMessage(readSelector(selector)) };
    const printer = listPrinter(format, nodeTable, io);
    const all = pages(async (request) => {
      const page = await api.nodes.listNodes({ ...request, ...filter }, { signal: io.signal });
      return { items: page.nodes, next: page.nextPageToken };
    }, limit);
    for await (const nodes of all) await printer.add(nodes.map(nodeView));
    await printer.end();
    return EXIT_OK;
  };
}

/** `nodes get ID`. */
export function getNode(serverId: string): CommandBody {
  return async ({ api, format, io }) => {
    try {
      const { node } = await api.nodes.getNode({ serverId }, { signal: io.signal });
      if (node !== undefined) {
        await printOne(format, nodeTable, nodeView(node), io);
        return EXIT_OK;
      }
    } catch (error) {
      if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    }
    throw new TagctlError(`no node '${serverId}'; 'tagctl nodes ls' lists them`);
  };
}
