/** The command line of `ssh principals`. */
export interface PrincipalsOptions {
  readonly user: string;
  /** Base64. */
  readonly certificate: string;
  readonly socket?: string;
  /** Read only when there is no `socket`. */
  readonly config?: string;
}

const FLAGS = ['user', 'certificate', 'socket', 'config'] as const;

/**
 * Reads `--FLAG VALUE` pairs. By hand: a login name that begins with a dash is a value like any other, for it
 * is sshd who says it.
 *
 * @returns a problem as text
 */
export function readPrincipalsOptions(args: readonly string[]): PrincipalsOptions | string {
  const values: Partial<Record<(typeof FLAGS)[number], string>> = {};
  for (let at = 0; at < args.length; at += 2) {
    const [word = '', value] = args.slice(at, at + 2);
    const flag = FLAGS.find((name) => word === `--${name}`);
    if (flag === undefined) return `unknown option ${JSON.stringify(word)}`;
    if (value === undefined) return `${word} needs a value`;
    if (values[flag] !== undefined) return `${word} is there twice`;
    values[flag] = value;
  }
  const { user, certificate } = values;
  if (user === undefined || user === '') return '--user is needed: %u in sshd_config';
  if (certificate === undefined) return '--certificate is needed: %k in sshd_config';
  return { ...values, user, certificate };
}
