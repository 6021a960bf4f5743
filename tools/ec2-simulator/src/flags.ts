import { parseArgs } from 'node:util';
import type { Ec2SimulatorOptions } from './simulator.ts';
import { parseAddress } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';

export const NAME = 'tagplane-ec2-simulator';
/** Beside the ports of the services. */
const DEFAULT_LISTEN = '127.0.0.1:7400';
const MAX_INSTANCES = 100_000;
/** Organizations allows more only on request. */
const MAX_ACCOUNTS = 1_000;

export const HELP = `${NAME}: an EC2 endpoint for tests and demos

Usage: ${NAME} [flags]

  --instances N        instances in all regions together, 0 to ${MAX_INSTANCES} (default 200)
  --regions A,B        regions (default eu-central-1,us-east-1)
  --seed N             the same seed gives the same fleet (default 1)
  --listen HOST:PORT   where to listen (default ${DEFAULT_LISTEN}); port 0 for a free one
  --account ID         account of the fleet, and of unknown access keys (default 123456789012)
  --access-key KEY=ID  account of an access key id; may be given again
  --transition-ms N    how long pending, stopping and shutting-down last (default 2000)
  --linger-ms N        how long a terminated instance is still described (default 3600000)
  --token-ttl-ms N     how long a NextToken is good for (default 3600000)
  --page-size N        instances in a page, at most, whatever MaxResults says

  --accounts N         an organisation of so many accounts, which share the instances (default: none)
  --role NAME          a role in each account that the management account (--account) may assume
  --external-id TEXT   what that role asks for
  --session-ttl-ms N   ends assumed roles' sessions earlier than asked for
  --windows PERCENT    of the instances run Windows (default 0)

  --quotas             EC2's token buckets refuse, with RequestLimitExceeded
  --lag-ms N           what is described is behind what happened by up to so much (default 0)
  --stale-reads P      for as long again, this share of reads, 0 to 1, is older still (default 0)
  --script FILE        faults from the beginning: {"faults": [...]}, see README.md
  --help, --version

Then, for any AWS SDK: AWS_ENDPOINT_URL=http://${DEFAULT_LISTEN} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
The control API is under /_control/ of the same port; see README.md.
`;

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'bad'; readonly problem: string }
  | {
      readonly kind: 'run';
      readonly listen: Address;
      readonly options: Ec2SimulatorOptions;
      /** A file of faults. */
      readonly script: string | undefined;
    };

const FLAGS = {
  instances: { type: 'string' },
  regions: { type: 'string' },
  seed: { type: 'string' },
  listen: { type: 'string', default: DEFAULT_LISTEN },
  account: { type: 'string' },
  'access-key': { type: 'string', multiple: true },
  'transition-ms': { type: 'string' },
  'linger-ms': { type: 'string' },
  'token-ttl-ms': { type: 'string' },
  'page-size': { type: 'string' },
  accounts: { type: 'string' },
  role: { type: 'string' },
  'external-id': { type: 'string' },
  'session-ttl-ms': { type: 'string' },
  windows: { type: 'string' },
  quotas: { type: 'boolean' },
  'lag-ms': { type: 'string', default: '0' },
  'stale-reads': { type: 'string', default: '0' },
  script: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

/** Reads a command line; what is wrong with it is one line that names the flag. */
export function readFlags(args: readonly string[]): Invocation {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true });
    if (values.help === true) return { kind: 'help' };
    if (values.version === true) return { kind: 'version' };
    const listen = parseAddress(values.listen);
    if (listen === undefined) throw new FlagError('listen', 'expected HOST:PORT');
    const options = {
      ...number('instances', values.instances, 'instances', MAX_INSTANCES),
      ...number('seed', values.seed, 'seed', 0xffff_ffff),
      ...number('transition-ms', values['transition-ms'], 'transitionMs', MAX_MS),
      ...number('linger-ms', values['linger-ms'], 'lingerMs', MAX_MS),
      ...number('token-ttl-ms', values['token-ttl-ms'], 'tokenTtlMs', MAX_MS),
      ...(values.regions === undefined ? {} : { regions: regions(values.regions) }),
      ...(values.account === undefined ? {} : { account: account('account', values.account) }),
      ...number('page-size', values['page-size'], 'pageSize', MAX_INSTANCES),
      ...number('session-ttl-ms', values['session-ttl-ms'], 'sessionTtlMs', MAX_MS),
      ...number('windows', values.windows, 'windowsPercent', 100),
      ...(values.quotas === true ? { quotas: true } : {}),
      consistency: {
        lagMs: number('lag-ms', values['lag-ms'], 'lagMs', MAX_MS).lagMs ?? 0,
        staleReads: share('stale-reads', values['stale-reads']),
      },
      estate: {
        ...number('accounts', values.accounts, 'accounts', MAX_ACCOUNTS),
        role: values.role,
        externalId: values['external-id'],
      },
      accounts: new Map(values['access-key']?.map(accessKey) ?? []),
    };
    return { kind: 'run', listen, options, script: values.script };
  } catch (error) {
    return { kind: 'bad', problem: firstLine(error instanceof Error ? error.message : String(error)) };
  }
}

/** One week, in milliseconds. */
const MAX_MS = 7 * 24 * 60 * 60 * 1000;

class FlagError extends Error {
  constructor(flag: string, problem: string) {
    super(`--${flag}: ${problem}`);
  }
}

function number<Key extends string>(
  flag: string,
  text: string | undefined,
  key: Key,
  most: number,
): Partial<Record<Key, number>> {
  if (text === undefined) return {};
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
  if (!(value <= most)) throw new FlagError(flag, `expected a whole number from 0 to ${most}`);
  return { [key]: value } as Record<Key, number>;
}

function share(flag: string, text: string): number {
  const value = /^(0(\.\d{1,9})?|1)$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw new FlagError(flag, 'expected a number from 0 to 1');
  return value;
}

function regions(text: string): string[] {
  const names = text.split(',');
  const bad = names.find((name) => !/^[a-z]{2,5}(-[a-z]+){1,3}-\d{1,2}$/.test(name));
  if (bad !== undefined) throw new FlagError('regions', `'${bad}' is no region`);
  if (new Set(names).size !== names.length) throw new FlagError('regions', 'a region twice');
  return names;
}

function account(flag: string, text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new FlagError(flag, `'${text}' is no account id of 12 digits`);
}

function accessKey(text: string): [string, string] {
  const [key = '', id = ''] = text.split('=');
  if (key === '') throw new FlagError('access-key', 'expected KEY=ACCOUNT');
  return [key, account('access-key', id)];
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
