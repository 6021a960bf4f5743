import type { Api } from './api.ts';
import { openApi } from './api.ts';
import { explain } from './explain.ts';
import type { Format } from './format/document.ts';
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
}

/** Does the command's work; resolves to the exit code. */
export type CommandBody = (context: CommandContext) => Promise<number>;

/** Connects, works, disconnects; a failed call becomes a line for a person. */
export async function withApi(flags: GlobalFlags, io: TagctlIo, body: CommandBody): Promise<number> {
  const settings = readSettings(flags, io);
  using api = openApi(settings);
  try {
    return await body({ api, settings, format: flags.format, io });
  } catch (error) {
    throw explain(error, settings);
  }
}
