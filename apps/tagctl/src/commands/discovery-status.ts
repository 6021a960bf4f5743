import type { CommandBody } from '../context.ts';
import { EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { listPrinter, printDetails, printDocument } from '../format/print.ts';
import type { TagctlIo } from '../io.ts';
import { groupTable, groupView } from '../views/discovery-group.ts';
import { scopeTable } from '../views/discovery-scope.ts';
import { DiscoverySummary, summaryDetails } from '../views/discovery-status.ts';
import type { DiscoveryStatusView } from '../views/discovery-status.ts';
import { allScopes } from './discovery.ts';

/** `discovery status`: exit 1 when a group has no leader, or a scope fails. */
export const showDiscoveryStatus: CommandBody = async (context) => {
  const { api, format, io } = context;
  const { groups } = await api.discovery.listGroups({}, { signal: io.signal });
  const summary = new DiscoverySummary();
  for await (const scopes of allScopes(context)) summary.add(scopes);
  const view = summary.view(groups.map(groupView));
  if (format === 'table') await printStatus(view, io);
  else await printDocument(format, view, io);
  const well = view.failing.length === 0 && view.groups.every(({ leader }) => leader !== null);
  return well ? EXIT_OK : EXIT_FAILED;
};

async function printStatus(view: DiscoveryStatusView, io: TagctlIo): Promise<void> {
  const groups = listPrinter('table', groupTable, io);
  await groups.add(view.groups);
  await groups.end();
  if (view.scopes.total === 0) return;
  await io.stdout.write('\n');
  await printDetails(summaryDetails(view), io);
  if (view.failing.length === 0) return;
  await io.stdout.write('\n');
  for (const scope of view.failing) {
    await printDetails(scopeTable.details(scope, io.now()).slice(0, 4), io);
  }
}
