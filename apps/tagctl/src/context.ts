import type { Api } from './api.ts';
import { openApi } from './api.ts';
import { CredentialStore } from './credentials/credential-store.ts';
import { followTrust, renewIfOld, whileFollowing } from './credentials/follow.ts';
import { explain } from './explain.ts';
import type { Format } from './format/formats.ts';
import type { TagctlIo } from './io.ts';
import { readSettings } from './settings.ts';
import type { ConnectionFlags, Settings } from './settings.ts';

/** The flags that every command takes. */
export interface GlobalFlags extends ConnectionFlags {
  readonly format: Format;
}

/** What a command needs to do its work. */
export interface CommandContext {
  readonly api: Api;
  readonly settings: Settings;
  readonly format: Format;
  readonly io: TagctlIo;
  /** Takes up which authorities to trust now, and renews if asked to: for who waits for everyone to have. */
  follow(signal: AbortSignal): Promise<void>;
}

/** Does the command's work; resolves to the exit code. */
export type CommandBody = (context: CommandContext) => Promise<number>;

/** Connects, works, disconnects; a failed call becomes a line for a person. */
export async function withApi(flags: GlobalFlags, io: TagctlIo, body: CommandBody): Promise<number> {
  const settings = readSettings(flags, io);
  const { security } = settings;
  const common = { settings, format: flags.format, io };
  try {
    if (security.mode === 'insecure') {
      using api = openApi(settings, security);
      return await body({ ...common, api, follow: () => Promise.resolve() });
    }
    const store = await CredentialStore.open(security.file, io.now());
    using api = openApi(settings, { mode: 'mutual', credentials: () => store.current() });
    const follower = { store, transport: api.transport, io };
    await renewIfOld(follower);
    const follow = (signal: AbortSignal): Promise<void> => followTrust(follower, signal);
    return await whileFollowing(follower, () => body({ ...common, api, follow }));
  } catch (error) {
    throw explain(error, { ...settings, mode: security.mode });
  }
}
