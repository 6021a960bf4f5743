import { EXECUTION_MS } from './book.ts';
import { SECOND } from '@tagplane/runtime';
import type { EnrollSettings } from './config.ts';
import { SHELL_DOCUMENT } from './config.ts';

/** What an installation goes by; also the parameters of the document that is shipped. */
export interface InstallValues {
  readonly InstallerUrl: string;
  readonly InstallerSha256: string;
  readonly AgentUrl: string;
  /** Empty where there is no agent for that kind of machine. */
  readonly AgentSha256X64: string;
  readonly AgentSha256Arm64: string;
  readonly AuthAddresses: string;
  readonly CaPins: string;
  readonly JoinMethod: string;
  /** A secret of one instance; empty for other ways to join. */
  readonly JoinToken: string;
}

export function installValues(settings: EnrollSettings, token: string): InstallValues {
  const { agent, auth_addresses: addresses, ca_pins: pins, join } = settings;
  return {
    InstallerUrl: agent.installer_url,
    InstallerSha256: agent.installer_sha256,
    AgentUrl: agent.url,
    AgentSha256X64: agent.sha256.x64 ?? '',
    AgentSha256Arm64: agent.sha256.arm64 ?? '',
    AuthAddresses: addresses.join(','),
    CaPins: pins.join(','),
    JoinMethod: join,
    JoinToken: token,
  };
}

/**
 * The lines of the script that an instance runs. The installer is verified before it is run, and the token
 * goes to it by a file: the arguments of a process can be seen by everybody on its machine.
 *
 * @throws TypeError for a value that a shell would not take as it is
 */
export function installScript(values: InstallValues): string[] {
  const quoted = (name: keyof InstallValues): string => quote(name, values[name]);
  return [
    '#!/bin/sh',
    'set -eu',
    'umask 077',
    'work=$(mktemp -d)',
    'trap \'rm -rf "$work"\' EXIT',
    'if command -v curl >/dev/null 2>&1; then',
    `  curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o "$work/install.sh" ${quoted('InstallerUrl')}`,
    'else',
    `  wget -q -T 60 -t 3 -O "$work/install.sh" ${quoted('InstallerUrl')}`,
    'fi',
    `printf '%s  %s\\n' ${quoted('InstallerSha256')} "$work/install.sh" | sha256sum -c - >/dev/null || {`,
    "  echo 'the installer is not what it should be: its SHA-256 is another' >&2",
    '  exit 1',
    '}',
    `set -- --tarball ${quoted('AgentUrl')} --auth ${quoted('AuthAddresses')} --ca-pin ${quoted('CaPins')}`,
    `set -- "$@" --sha256-x64 ${quoted('AgentSha256X64')} --sha256-arm64 ${quoted('AgentSha256Arm64')}`,
    `set -- "$@" --join ${quoted('JoinMethod')}`,
    `token=${quoted('JoinToken')}`,
    'if [ -n "$token" ]; then',
    '  printf \'%s\' "$token" >"$work/token"',
    '  set -- "$@" --token-file "$work/token"',
    'fi',
    'sh "$work/install.sh" "$@"',
  ];
}

/** The parameters of a command: the script for AWS's own document, the values for any other. */
export function commandParameters(
  settings: EnrollSettings,
  token: string,
): Readonly<Record<string, readonly string[]>> {
  const values = installValues(settings, token);
  if (isShellDocument(settings.document)) {
    const executionTimeout = [String(EXECUTION_MS / SECOND)];
    return { commands: installScript(values), executionTimeout };
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]: [string, string]) => [name, [value]]));
}

function isShellDocument(document: string): boolean {
  return document.slice(document.lastIndexOf('/') + 1) === SHELL_DOCUMENT;
}

/** Everything here comes from fields and tokens that have none of these characters; this makes sure. */
function quote(name: string, text: string): string {
  if (/^[^'\\\p{Cc}]*$/u.test(text)) return `'${text}'`;
  throw new TypeError(`${name} cannot be written into a script`);
}
