import { VERSION } from '@tagplane/runtime';
import { Command } from 'commander';
import { addGlobalFlags, inheritGlobalFlags } from './flags.ts';
import { addAccess } from './groups/access.ts';
import { addAudit } from './groups/audit.ts';
import { addCa } from './groups/ca.ts';
import { addDiscovery } from './groups/discovery.ts';
import { addExplain } from './groups/explain.ts';
import { addGuard } from './groups/guard.ts';
import { addJoins } from './groups/joins.ts';
import { addLabel } from './groups/label.ts';
import { addLocks } from './groups/locks.ts';
import { addNodes } from './groups/nodes.ts';
import { addOwn, addStatus } from './groups/own.ts';
import { addRoles } from './groups/roles.ts';
import type { Runner } from './groups/runner.ts';
import { examples } from './groups/runner.ts';
import { addCreate, addServerInfos } from './groups/server-infos.ts';
import { addSession } from './groups/session.ts';
import { addTokens } from './groups/tokens.ts';
import { addVerbs } from './groups/verbs.ts';

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed, not found, unreachable, or a status found a problem
  2  a bad command line, configuration or file, or no credentials
  3  'access check' says no
  4  the guard holds the change: see 'tagctl guard ls'
`;

/**
 * The tree of all commands. Parsing a command line calls the runner, once. Only the tree is loaded with
 * it: what a command does, the API included, is imported when it is asked for.
 */
export function createProgram(run: Runner): Command {
  const program = new Command('tagctl')
    .description(
      "The operator's command line of Tagplane: nodes, labels, roles and the state of the cluster.",
    )
    .version(`tagctl ${VERSION}`)
    .addHelpText('after', examples('tagctl status', 'tagctl nodes ls', 'tagctl create web-tier.yaml'))
    .addHelpText('afterAll', EXIT_CODES);
  addGlobalFlags(program);
  addNodes(program, run);
  addServerInfos(program, run);
  addRoles(program, run);
  addCreate(program, run);
  addLabel(program, run);
  addExplain(program, run);
  addAccess(program, run);
  addGuard(program, run);
  addDiscovery(program, run);
  addStatus(program, run);
  addSession(program, run);
  addTokens(program, run);
  addJoins(program, run);
  addLocks(program, run);
  addAudit(program, run);
  addCa(program, run);
  addOwn(program, run);
  addVerbs(program, run);
  inheritGlobalFlags(program);
  return program;
}
