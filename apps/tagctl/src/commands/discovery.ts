import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { listPrinter } from '../format/print.ts';
import type { ListPrinter } from '../format/print.ts';
import type { InstanceFlags } from '../groups/discovery.ts';
import { pages } from '../pages.ts';
import {
  discoveredInstanceTable,
  discoveredInstanceView,
  enrolmentState,
} from '../views/discovered-instance.ts';
import { scopeTable, scopeView } from '../views/discovery-scope.ts';
import type { ScopeView } from '../views/discovery-scope.ts';
import { rejectedTagTable, rejectedTagViews } from '../views/rejected-tag.ts';

/** Every scope, a page at a time, by group and id. */
export async function* allScopes({
  api,
  io,
}: Pick<CommandContext, 'api' | 'io'>): AsyncGenerator<readonly ScopeView[]> {
  const all = pages(async (request) => {
    const page = await api.discovery.listScopes(request, { signal: io.signal });
    return { items: page.scopes, next: page.nextPageToken };
  });
  for await (const scopes of all) yield scopes.map(scopeView);
}

/** `discovery scopes`: exit 1 when one fails. */
export function listScopes({ failing }: { readonly failing?: boolean }): CommandBody {
  return async (context) => {
    const printer = listPrinter(context.format, scopeTable, context.io);
    let failed = false;
    for await (const scopes of allScopes(context)) {
      failed ||= scopes.some(isFailing);
      await printer.add(failing === true ? scopes.filter(isFailing) : scopes);
    }
    await printer.end();
    return failed ? EXIT_FAILED : EXIT_OK;
  };
}

export function isFailing({ state }: ScopeView): boolean {
  return state === 'FAILING';
}

/** `discovery rejected`. People are told how many there are. */
export function listRejected(limit = Number.POSITIVE_INFINITY): CommandBody {
  return async ({ api, format, io }) => {
    const printer = listPrinter(format, rejectedTagTable, io);
    const all = pages(async (request) => {
      const page = await api.serverInfos.listServerInfos(
        { ...request, rejectedOnly: true },
        { signal: io.signal },
      );
      return { items: page.serverInfos, next: page.nextPageToken };
    });
    let [tags, instances] = [0, 0];
    for await (const infos of all) {
      for (const info of infos) {
        const views = rejectedTagViews(info).slice(0, limit - tags);
        if (views.length === 0) continue;
        instances += 1;
        tags += views.length;
        await printer.add(views);
      }
      if (tags >= limit) break;
    }
    await printer.end();
    if (format === 'table' && tags > 0)
      await io.stderr.write(`${count(tags, 'tag')} of ${count(instances, 'instance')}\n`);
    return EXIT_OK;
  };
}

/** `discovery instances`. People are told how many there are in each state. */
export function listInstances({ state, account, region, limit }: InstanceFlags): CommandBody {
  return async ({ api, format, io }) => {
    const printer = listPrinter(format, discoveredInstanceTable, io);
    const states = (state ?? []).map(enrolmentState);
    const filter = { states, accountId: account ?? '', region: region ?? '' };
    const all = pages(async (request) => {
      const page = await api.discovery.listInstances({ ...request, ...filter }, { signal: io.signal });
      return { items: page.instances, next: page.nextPageToken };
    }, limit);
    const counts = new Map<string, number>();
    for await (const instances of all)
      await addCounted(printer, instances.map(discoveredInstanceView), counts);
    await printer.end();
    if (format === 'table' && counts.size > 0) {
      const parts = [...counts].map(([name, number]) => `${number} ${name}`);
      await io.stderr.write(`${parts.join(', ')}\n`);
    }
    return EXIT_OK;
  };
}

async function addCounted<View extends { readonly state: string }>(
  printer: ListPrinter<View>,
  views: readonly View[],
  counts: Map<string, number>,
): Promise<void> {
  for (const { state } of views) counts.set(state, (counts.get(state) ?? 0) + 1);
  await printer.add(views);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
