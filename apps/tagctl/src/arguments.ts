import type { InstanceKey } from '@tagplane/identity';
import { isCertifiedName, parseInstanceKey, parsePin, parseSpiffeId } from '@tagplane/identity';
import { parseDuration } from '@tagplane/runtime';
import { InvalidArgumentError, Option } from 'commander';

/** Values of flags that several commands read. Each parser throws what commander takes for a bad value. */
export function limitOption(): Option {
  return countOption('--limit <N>', 'stop after this many', Number.MAX_SAFE_INTEGER);
}

export function countOption(flags: string, description: string, max: number): Option {
  const bounds = max === Number.MAX_SAFE_INTEGER ? 'from 1 on' : `from 1 to ${max}`;
  return new Option(flags, description).argParser((text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`Expected a whole number ${bounds}.`);
  });
}

export function instanceOption(description: string): Option {
  return new Option('--instance <ACCOUNT/REGION/ID>', description).argParser(instanceArgument);
}

/** Read by the command: whoever asks for help only need not load the grammar. */
export function selectorOption(description: string): Option {
  return new Option('--selector <SELECTOR>', description);
}

export function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= 1_000) return ms;
    throw new InvalidArgumentError('Expected a duration such as 90s, 30m or 12h.');
  });
}

/** The name of something that has, or will have, a certificate. */
export function nameOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    if (isCertifiedName(text)) return text;
    throw new InvalidArgumentError('Expected letters, digits, ".", "_" or "-".');
  });
}

export function spiffeOption(description: string): Option {
  return new Option('--identity <SPIFFE_ID>', description).argParser((text) => {
    if (parseSpiffeId(text) !== undefined) return text;
    throw new InvalidArgumentError('Expected spiffe://CLUSTER/ROLE/NAME.');
  });
}

/** One pin or several, as during a rotation, separated by commas. */
export function pinsOption(description: string): Option {
  return new Option('--ca-pin <PIN>', description).argParser((text) => {
    const pins = text.split(',').map((part) => parsePin(part.trim()));
    const good = pins.filter((pin) => pin !== undefined);
    if (good.length === pins.length) return good;
    throw new InvalidArgumentError('Expected sha256: and 64 hexadecimal digits.');
  });
}

function instanceArgument(text: string): InstanceKey {
  const [account = '', region = '', instance = '', ...rest] = text.split('/');
  const key = rest.length > 0 ? undefined : parseInstanceKey({ account, region, instance });
  if (key !== undefined) return key;
  throw new InvalidArgumentError(
    'Expected ACCOUNT/REGION/ID, such as 123456789012/eu-central-1/i-0123456789abcdef0.',
  );
}
