import { parseArgs } from 'node:util';
import { peerText } from '@tagplane/identity';
import type { Address, Command, Environment, ProgramIo } from '@tagplane/runtime';
import { ConfigError, errorMessage, formatAddress, parseDuration, writeAtomically } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import type { CaCopy } from './ca-copy.ts';
import { bootstrapOperator } from './bootstrap.ts';
import type { Bootstrapped } from './bootstrap.ts';
import type { CaConfig } from './sealing-key.ts';

/** What it needs of the service's configuration. */
export interface BootstrapConfig {
  readonly cluster: string;
  readonly ca: CaConfig;
  /** Milliseconds. */
  readonly certificate_ttl: number;
  readonly listen: Address;
}

export interface BootstrapParts<Config extends BootstrapConfig> {
  /** Reads the configuration; `file` is undefined where none was named on the command line. */
  readonly load: (file: string | undefined, env: Environment) => Config;
  /** Of what decides who may do what, and the audit log, which is written when this is disposed of. */
  readonly open: (
    config: Config,
  ) => { readonly store: Store; readonly audit: Audit; readonly copy: CaCopy } & AsyncDisposable;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  name: { type: 'string', default: 'admin' },
  out: { type: 'string', default: './operator.json' },
  ttl: { type: 'string' },
  again: { type: 'boolean', default: false },
  'if-needed': { type: 'boolean', default: false },
  'ca-pin-out': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const USAGE =
  'bootstrap [--config FILE] [--name NAME] [--out FILE] [--ttl DURATION] [--again | --if-needed] [--ca-pin-out FILE]';
const SUMMARY = "make the first operator's credentials, once, on this host";
const HELP = `tagplane-auth ${USAGE}

Makes the first operator's credentials without any network but the store's, and the key file (ca.key_file) and
the cluster's authority where there are none yet. The service may be running.

  --config FILE    the service's configuration
  --name NAME      the operator's name (default admin)
  --out FILE       the file for the credentials, never overwritten (default ./operator.json)
  --ttl DURATION   how long they are good for, from 1m to 365d (default: certificate_ttl)
  --again          also when it was done before: when no operator can get in any more
  --if-needed      for scripts: nothing where FILE holds this operator's credentials with more than a third of
                   their life left; otherwise new ones, which replace those
  --ca-pin-out FILE
                   a file for the pins of the authority, for join.ca_pin_file; written each time
`;

const MIN_TTL = '1m';
const MAX_TTL = '365d';

/** `tagplane-auth bootstrap`. */
export function bootstrapCommand<Config extends BootstrapConfig>(parts: BootstrapParts<Config>): Command {
  return {
    usage: USAGE,
    summary: SUMMARY,
    async run(args, io) {
      const flags = parseFlags(args);
      if (flags.help) {
        io.stdout.write(HELP);
        return 0;
      }
      const config = parts.load(flags.config, io.env);
      const { name, out, 'ca-pin-out': pinOut } = flags;
      const when = whenOf(flags);
      const ttlMs = flags.ttl === undefined ? config.certificate_ttl : parseTtl(flags.ttl);
      await using stores = parts.open(config);
      const { cluster, ca } = config;
      const { store, audit, copy } = stores;
      const { signal } = io;
      const now = Date.now();
      const done = await bootstrapOperator({
        ...{ store, audit, copy, cluster, ca, name, ttlMs, out, when, now, signal },
      });
      if (pinOut !== undefined) await writePins(pinOut, done.pins);
      report(done, out, config.listen, io);
      return 0;
    },
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new ConfigError(errorMessage(error), { cause: error });
  }
}

function whenOf(flags: ReturnType<typeof parseFlags>): 'once' | 'again' | 'if-needed' {
  const { again, 'if-needed': ifNeeded } = flags;
  if (again && ifNeeded) throw new ConfigError('--again and --if-needed: give one of them, not both');
  if (ifNeeded) return 'if-needed';
  return again ? 'again' : 'once';
}

/** One a line. They are no secret: whoever is to join needs them. */
async function writePins(path: string, pins: readonly string[]): Promise<void> {
  try {
    await writeAtomically(path, `${pins.join('\n')}\n`, { mode: 0o644 });
  } catch (error) {
    throw new ConfigError(`--ca-pin-out: ${path} cannot be written: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function parseTtl(text: string): number {
  const ms = parseDuration(text);
  const [min, max] = [parseDuration(MIN_TTL) ?? 0, parseDuration(MAX_TTL) ?? 0];
  if (ms !== undefined && ms >= min && ms <= max) return ms;
  throw new ConfigError(`--ttl: expected a duration from ${MIN_TTL} to ${MAX_TTL}`);
}

function report(done: Bootstrapped, out: string, listen: Address, io: ProgramIo): void {
  const { credentials, kept, pins, keyFile } = done;
  const until = new Date(credentials.validUntil).toISOString();
  const lines = [
    ...(keyFile === undefined
      ? []
      : [`key of the authority: ${keyFile} (every auth process needs it; keep a copy)`]),
    `credentials of ${peerText(credentials)}: ${out} (${kept ? 'kept, ' : ''}good until ${until})`,
    `CA pin: ${pins[0]}`,
    `next: tagctl login --identity ${out} --address ${reachable(listen)}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** An address to listen on everywhere is none to connect to. */
function reachable(listen: Address): string {
  const anywhere = listen.host === '0.0.0.0' || listen.host === '::';
  return anywhere ? `HOST:${listen.port}` : formatAddress(listen);
}
