import type { InstanceKey } from '@tagplane/identity';
import { instanceKeyText } from '@tagplane/identity';
import type { ResetJoinRequest } from '@tagplane/protocol';
import { instanceToMessage } from '@tagplane/protocol';
import type { CommandBody } from '../context.ts';
import { EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { listPrinter, printDocument } from '../format/print.ts';
import type { JoinFlags } from '../groups/joins.ts';
import { oneOf } from '../one-of.ts';
import { pages } from '../pages.ts';
import { joinTable, joinView } from '../views/join.ts';

/** `joins ls`. */
export const listJoins: CommandBody = async ({ api, format, io }) => {
  const printer = listPrinter(format, joinTable, io);
  const all = pages(async (request) => {
    const page = await api.joins.listJoins(request, { signal: io.signal });
    return { items: page.joins, next: page.nextPageToken };
  });
  for await (const joins of all) await printer.add(joins.map(joinView));
  await printer.end();
  return EXIT_OK;
};

/** `joins reset`: exit 1 when nobody had joined so. */
export function resetJoin({ agent, instance, discovery, operator }: JoinFlags): CommandBody {
  return async ({ api, format, io }) => {
    const wanted = oneOf({ agent, instance, discovery, operator });
    const [name, value] = wanted;
    const subject = `${name} ${visible(typeof value === 'string' ? value : instanceKeyText(value))}`;
    const { reset } = await api.joins.resetJoin({ subject: resetSubject(wanted) }, { signal: io.signal });
    if (format !== 'table') await printDocument(format, { reset }, io);
    else if (reset) await io.stdout.write(`${subject} may be joined anew\n`);
    else await io.stderr.write(`tagctl: ${subject} has not joined; 'tagctl joins ls' lists who has\n`);
    return reset ? EXIT_OK : EXIT_FAILED;
  };
}

function resetSubject(
  wanted: readonly ['instance', InstanceKey] | readonly ['agent' | 'discovery' | 'operator', string],
): ResetJoinRequest['subject'] {
  switch (wanted[0]) {
    case 'agent':
      return { case: 'serverId', value: wanted[1] };
    case 'instance':
      return { case: 'instance', value: instanceToMessage(wanted[1]) };
    case 'discovery':
    case 'operator':
      return { case: wanted[0], value: wanted[1] };
  }
}
