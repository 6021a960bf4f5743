import { Code, ConnectError } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { JoinRefusedError } from '@tagplane/credentials';
import type { JoinMethod, JoinOptions } from './join.ts';
import { joinCluster } from './join.ts';

/** Codes by which an auth service says that the same again would be refused again. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
]);

/**
 * As `joinCluster`, once, with errors that say to a person what to do.
 *
 * @throws JoinRefusedError when the auth service refused; the error of `prove` when there is no proof; else
 *   Error when the auth service could not be reached
 */
export async function attemptToJoin(options: JoinOptions): Promise<Credentials> {
  const { signal, prove } = options;
  let unproven: { readonly error: unknown } | undefined;
  const watched = async (...challenge: Parameters<typeof prove>): Promise<JoinMethod> => {
    try {
      return await prove(...challenge);
    } catch (error) {
      unproven = { error };
      throw error;
    }
  };
  try {
    return await joinCluster({ ...options, prove: watched });
  } catch (error) {
    signal.throwIfAborted();
    if (unproven !== undefined) throw unproven.error;
    if (error instanceof JoinRefusedError) throw error;
    const { code, rawMessage } = ConnectError.from(error);
    const reason = `${Code[code]}: ${rawMessage}`;
    throw REFUSALS.has(code)
      ? new JoinRefusedError(reason, { cause: error })
      : new Error(reason, { cause: error });
  }
}
