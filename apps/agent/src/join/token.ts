import { readJoinToken } from '@tagplane/credentials';
import type { TokenSource } from '@tagplane/credentials';
import type { JoinMethod } from '@tagplane/protocol';

/** @throws Error when there is no token; it names the file */
export async function tokenProof(source: TokenSource): Promise<JoinMethod> {
  return { case: 'token', value: { token: await readJoinToken(source) } };
}
