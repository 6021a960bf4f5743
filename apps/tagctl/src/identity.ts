import type { Peer } from '@tagplane/identity';
import type { Environment } from '@tagplane/runtime';

/** What a name may be; as `parsePeerClaim` reads it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

export function isOperatorName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Who tagctl says it is, and the one place that decides it: the configured name, else the login name
 * with whatever a name may not hold replaced by `-`. It is a claim; certificates have their place here.
 */
export function operatorPeer(name: string | undefined, env: Environment): Peer {
  return { role: 'operator', name: name ?? loginName(env), proof: 'claimed' };
}

function loginName(env: Environment): string {
  for (const login of [env['USER'], env['LOGNAME'], env['USERNAME']]) {
    const name = (login ?? '')
      .replace(/[^A-Za-z0-9._@-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 128);
    if (isOperatorName(name)) return name;
  }
  return 'operator';
}
