import { MINUTE, formatDuration, parseAddress, parseDuration } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import type { Command } from 'commander';
import { Help, InvalidArgumentError, Option } from 'commander';
import type { GlobalFlags } from './context.ts';
import { DEFAULT_TIMEOUT_MS } from './defaults.ts';
import { FORMATS } from './format/formats.ts';
import { isOperatorName } from './identity.ts';

/** Less than this no network answers; more than this nobody waits. */
const MIN_TIMEOUT_MS = 10;
const MAX_TIMEOUT_MS = 10 * MINUTE;

/** The flags that every command takes, made anew for each place they are put. */
function globalOptions(): Option[] {
  return [
    new Option(
      '--address <HOST:PORT>',
      'the auth service (TAGPLANE_ADDRESS; default 127.0.0.1:7420)',
    ).argParser(addressFlag),
    new Option('--identity <FILE>', "who is asking (TAGPLANE_IDENTITY; default: what 'tagctl login' stored)"),
    new Option('--insecure', 'without TLS, on loopback only (TAGPLANE_INSECURE)'),
    new Option(
      '--name <NAME>',
      'with --insecure: who is asking (TAGPLANE_NAME; default: login name)',
    ).argParser(nameFlag),
    new Option('--timeout <DURATION>', 'how long each answer may take')
      .argParser(timeoutFlag)
      .default(DEFAULT_TIMEOUT_MS, formatDuration(DEFAULT_TIMEOUT_MS)),
    new Option('--format <FORMAT>', 'how to print').choices(FORMATS).default('table'),
  ];
}

/**
 * Puts the global flags on the root, where help shows them. Call it before the commands are added: each
 * of them reads its own words only, so that one may have a flag of the same name for itself.
 */
export function addGlobalFlags(program: Command): void {
  for (const option of globalOptions()) program.addOption(option);
  program.enablePositionalOptions().configureHelp({
    showGlobalOptions: true,
    visibleGlobalOptions(command) {
      const all = Help.prototype.visibleGlobalOptions.call(this, command);
      return all.filter(({ long }) => !command.options.some((own) => !own.hidden && own.long === long));
    },
  });
}

const inherited = new WeakSet<Option>();

/** Lets the global flags stand behind every command too; call it when all commands are there. */
export function inheritGlobalFlags(command: Command): void {
  for (const child of command.commands) {
    for (const option of globalOptions()) {
      if (child.options.some(({ long }) => long === option.long)) continue;
      // The default is the root's: here it would hide what was said before the command.
      option.defaultValue = undefined;
      inherited.add(option.hideHelp());
      child.addOption(option);
    }
    inheritGlobalFlags(child);
  }
}

/** The global flags of a command line; what stands nearest to the command's own words counts. */
export function flagsOf(command: Command): GlobalFlags {
  const root = rootOf(command);
  const flags: Record<string, unknown> = { ...root.opts() };
  const path: Command[] = [];
  for (let at: Command | null = command; at !== null && at !== root; at = at.parent) path.unshift(at);
  for (const place of path) {
    for (const option of place.options) {
      const value: unknown = place.getOptionValue(option.attributeName());
      if (inherited.has(option) && value !== undefined) flags[option.attributeName()] = value;
    }
  }
  return flags as unknown as GlobalFlags;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function addressFlag(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined || address.port === 0) {
    throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:7420.');
  }
  return address;
}

function nameFlag(text: string): string {
  if (isOperatorName(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, ".", "_", "@" or "-".');
}

function timeoutFlag(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= MIN_TIMEOUT_MS && ms <= MAX_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError('Expected a duration such as 500ms, 10s or 1m, up to 10m.');
}
