import type { CommandBody } from '../context.ts';
import { EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { printDetails, printDocument } from '../format/print.ts';
import { statusDetails, statusView } from '../views/status.ts';

/** `status`: exit 1 when the auth service names a problem. */
export const showStatus: CommandBody = async ({ api, settings, format, io }) => {
  const answer = await api.status.getStatus({ withCounts: true }, { signal: io.signal });
  const view = statusView(settings.addressText, answer);
  if (format === 'table') await printDetails(statusDetails(view), io);
  else await printDocument(format, view, io);
  return view.problems.length === 0 ? EXIT_OK : EXIT_FAILED;
};
