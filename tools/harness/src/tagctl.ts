import { sourceArgs } from './programs.ts';
import type { ProgramRun } from './run-program.ts';
import { runNode } from './run-program.ts';

export interface TagctlRun extends ProgramRun {
  /** The lines of both its outputs: first what it printed, then what it said beside that. */
  readonly output: readonly string[];
}

/** Whom tagctl speaks to, and as whom. */
export interface TagctlTarget {
  readonly port: number;
  /** Absent: without TLS. */
  readonly credentialFile?: string | undefined;
}

/** The environment in which tagctl finds its way without flags. */
export function tagctlEnv({ port, credentialFile }: TagctlTarget): Record<string, string> {
  return {
    TAGPLANE_ADDRESS: `127.0.0.1:${port}`,
    ...(credentialFile === undefined ? { TAGPLANE_INSECURE: 'true' } : { TAGPLANE_IDENTITY: credentialFile }),
  };
}

/** Runs tagctl to its end; the settings of whoever runs this play no part. */
export async function runTagctl(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly stdin?: string } = {},
): Promise<TagctlRun> {
  const run = await runNode(sourceArgs('tagctl', args), {
    env: { XDG_CONFIG_HOME: '/nonexistent', ...env },
    stdin: options.stdin,
  });
  return { ...run, output: [...lines(run.stdout), ...lines(run.stderr)] };
}

function lines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
