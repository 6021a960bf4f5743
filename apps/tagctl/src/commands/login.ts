import { Code, ConnectError } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { joinCluster } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import type { GlobalFlags } from '../context.ts';
import { openApi } from '../api.ts';
import { readCredentials, refuseEnded, writeCredentials } from '../credentials/credential-store.ts';
import { EXIT_OK, TagctlError, usageError } from '../errors.ts';
import { explain } from '../explain.ts';
import { visible } from '../format/escape.ts';
import type { LoginFlags } from '../groups/session.ts';
import type { TagctlIo } from '../io.ts';
import { rememberAddress } from '../login/remember-address.ts';
import { readToken } from '../login/read-token.ts';
import type { Target } from '../settings.ts';
import { credentialsFile, readLogin } from '../settings.ts';
import { printIdentity } from './whoami.ts';

/** A join by token takes the auth service one write to its store. */
const JOIN_MS = MINUTE / 2;

/**
 * `login`: credentials of a file are stored when they have been seen to work, those of a token at once,
 * because the token may be used up.
 *
 * @throws TagctlError
 */
export async function login(flags: LoginFlags, global: GlobalFlags, io: TagctlIo): Promise<number> {
  const { target, obstacle } = readLogin(global, io);
  const file = credentialsFile(io);
  try {
    const credentials = await obtain(flags, target, io);
    await writeCredentials(file, credentials);
    if (global.address !== undefined) await rememberAddress(target.addressText, io);
    await printIdentity(global.format, { credentials, file }, io);
  } catch (error) {
    throw explain(error, { ...target, mode: 'mutual' });
  }
  if (obstacle !== undefined) await warn(obstacle + ' (in config.yaml or the environment)', io);
  return EXIT_OK;
}

/** By the file, or by the token: whichever the flags say, and only one of them. */
async function obtain(flags: LoginFlags, target: Target, io: TagctlIo): Promise<Credentials> {
  const { identity, token, tokenFile, caPin, name } = flags;
  const ways = [identity, token, tokenFile].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw usageError('give one of --identity FILE, --token TOKEN or --token-file FILE');
  }
  if (identity !== undefined) {
    if (caPin !== undefined || name !== undefined) {
      throw usageError('--ca-pin and --name go with a token; a file of credentials says both');
    }
    const credentials = await readCredentials(identity);
    if (credentials === undefined) throw usageError(`there is no file ${identity}`);
    refuseEnded(credentials, identity, io.now());
    await seeItWork(credentials, target, io);
    return credentials;
  }
  if (caPin === undefined) {
    throw usageError("--ca-pin is needed with a token: 'tagctl tokens add' printed it beside the token");
  }
  const secret = token ?? (await readToken(tokenFile ?? '-', io));
  return await join(secret, { pins: caPin, name, target }, io);
}

async function join(
  token: string,
  {
    pins,
    name,
    target,
  }: { readonly pins: readonly string[]; readonly name: string | undefined; readonly target: Target },
  io: TagctlIo,
): Promise<Credentials> {
  try {
    return await joinCluster({
      address: target.address,
      pins,
      role: 'operator',
      ...(name === undefined ? {} : { name }),
      prove: () => Promise.resolve({ case: 'token', value: { token } }),
      signal: io.signal,
      timeoutMs: JOIN_MS,
    });
  } catch (error) {
    if (name !== undefined || !isRefusal(error)) throw error;
    throw new TagctlError(
      `denied: ${error.rawMessage} (if the token is for no name in particular, say yours with --name)`,
      {
        cause: error,
      },
    );
  }
}

function isRefusal(error: unknown): error is ConnectError {
  return error instanceof ConnectError && [Code.PermissionDenied, Code.InvalidArgument].includes(error.code);
}

async function seeItWork(credentials: Credentials, target: Target, io: TagctlIo): Promise<void> {
  if (credentials.role !== 'operator') {
    await warn(`these are credentials of a ${credentials.role}: most commands will be denied`, io);
  }
  using api = openApi(target, { mode: 'mutual', credentials: () => credentials });
  await api.status.getStatus({}, { signal: io.signal });
}

async function warn(message: string, io: TagctlIo): Promise<void> {
  await io.stderr.write(`tagctl: warning: ${visible(message)}\n`);
}
