import { MINUTE, formatDuration, parseAddress, parseDuration } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { FORMATS } from './format/document.ts';
import { isOperatorName } from './identity.ts';
import { DEFAULT_TIMEOUT_MS } from './settings.ts';

/** Less than this no network answers; more than this nobody waits. */
const MIN_TIMEOUT_MS = 10;
const MAX_TIMEOUT_MS = 10 * MINUTE;

/** Puts the flags that every command takes on the root of the tree. */
export function addGlobalFlags(program: Command): void {
  program
    .addOption(
      new Option(
        '--address <HOST:PORT>',
        'the auth service (TAGPLANE_ADDRESS; default 127.0.0.1:7420)',
      ).argParser(addressFlag),
    )
    .addOption(
      new Option('--name <NAME>', 'who is asking (TAGPLANE_NAME; default: login name)').argParser(nameFlag),
    )
    .addOption(
      new Option('--timeout <DURATION>', 'how long each answer may take')
        .argParser(timeoutFlag)
        .default(DEFAULT_TIMEOUT_MS, formatDuration(DEFAULT_TIMEOUT_MS)),
    )
    .addOption(new Option('--format <FORMAT>', 'how to print').choices(FORMATS).default('table'));
}

export function limitOption(): Option {
  return new Option('--limit <N>', 'stop after this many').argParser((text) => {
    const limit = Number(text);
    if (!/^\d+$/.test(text) || limit < 1 || !Number.isSafeInteger(limit)) {
      throw new InvalidArgumentError('Expected a whole number from 1 on.');
    }
    return limit;
  });
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
