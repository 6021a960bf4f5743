import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { LockTarget } from '@tagplane/protocol';
import { instanceToMessage } from '@tagplane/protocol';
import type { CommandBody } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { listPrinter, printOne } from '../format/print.ts';
import type { LockFlags } from '../groups/locks.ts';
import { oneOf } from '../one-of.ts';
import { removeEach } from '../remove-each.ts';
import { lockTable, lockView } from '../views/lock.ts';

/** `lock add`. */
export function addLock(flags: LockFlags): CommandBody {
  return async ({ api, format, io }) => {
    const answer = await api.locks.addLock(
      {
        target: { target: lockTarget(flags) },
        message: flags.message ?? '',
        ...(flags.ttl === undefined ? {} : { ttl: durationFromMs(flags.ttl) }),
      },
      { signal: io.signal },
    );
    if (answer.lock === undefined) throw new TagctlError('the auth service did not say what it locked');
    await printOne(format, lockTable, lockView(answer.lock), io);
    return EXIT_OK;
  };
}

function lockTarget({ agent, instance, identity }: LockFlags): LockTarget['target'] {
  const [name, value] = oneOf({ agent, instance, identity });
  return name === 'instance' ? { case: name, value: instanceToMessage(value) } : { case: name, value };
}

/** `lock ls`. */
export const listLocks: CommandBody = async ({ api, format, io }) => {
  const { locks } = await api.locks.listLocks({}, { signal: io.signal });
  const printer = listPrinter(format, lockTable, io);
  await printer.add(locks.map(lockView));
  await printer.end();
  return EXIT_OK;
};

/** `lock rm ID…`: exit 1 when one of them was not there. */
export function removeLocks(ids: readonly string[]): CommandBody {
  return ({ api, format, io }) =>
    removeEach({ what: 'lock', ids, format, io }, async (id) => {
      return (await api.locks.removeLock({ id }, { signal: io.signal })).removed;
    });
}
