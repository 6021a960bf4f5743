/** What sshd is to be told. */
export interface DropIn {
  /** Absolute: the words that start the agent's program. */
  readonly program: readonly string[];
  /** Whom sshd runs it as. */
  readonly user: string;
  /** Absolute: what it asks. */
  readonly socket: string;
  /** Absolute: the public keys of who issues certificates; undefined: that is said elsewhere. */
  readonly caKeys: string | undefined;
}

const MARK = '# Written by `tagplane-agent ssh install`; `tagplane-agent ssh uninstall` takes it away.';

/** What each login is asked with; sshd puts the login name and the certificate in. */
const ARGUMENTS = ['ssh', 'principals', '--user', '%u', '--certificate', '%k', '--socket'] as const;

/** Whether a text is the content of a file that is ours to replace. */
export function isOurs(text: string): boolean {
  return text.startsWith(`${MARK}\n`);
}

/** Why a word cannot stand in sshd_config as it is; undefined: it can. */
export function wordProblem(word: string): string | undefined {
  return /^[\w./+,:@=-]+$/.test(word) ? undefined : `${JSON.stringify(word)} cannot stand in sshd_config`;
}

export function dropInText({ program, user, socket, caKeys }: DropIn): string {
  return [
    MARK,
    ...(caKeys === undefined ? [] : [`TrustedUserCAKeys ${caKeys}`]),
    `AuthorizedPrincipalsCommand ${[...program, ...ARGUMENTS, socket].join(' ')}`,
    `AuthorizedPrincipalsCommandUser ${user}`,
    '',
  ].join('\n');
}

/** A command that sshd runs, if it is ours. */
export interface OurCommand {
  /** The words before ours: a program, and with Node in front the file that it runs. */
  readonly program: readonly string[];
  /** What it asks; undefined: the defaults. */
  readonly socket: string | undefined;
}

/** Reads an AuthorizedPrincipalsCommand; undefined when it is not ours, or leaves out what we need to know. */
export function ourCommand(command: string): OurCommand | undefined {
  const words = command.split(/\s+/).filter((word) => word !== '');
  const at = words.findIndex((word, index) => word === 'ssh' && words[index + 1] === 'principals');
  if (at < 1) return undefined;
  const rest = words.slice(at + 2);
  const valueOf = (flag: string): string | undefined => {
    const index = rest.indexOf(flag);
    return index < 0 ? undefined : rest[index + 1];
  };
  if (valueOf('--user') !== '%u' || valueOf('--certificate') !== '%k') return undefined;
  return { program: words.slice(0, at), socket: valueOf('--socket') };
}
