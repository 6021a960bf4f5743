import { hexOf, mix, pick } from './random.ts';

const ENVIRONMENTS = ['production', 'production', 'staging', 'development', 'sandbox'] as const;
const TEAMS = ['payments', 'search', 'identity', 'data-platform', 'edge', 'observability'] as const;
const APPLICATIONS = ['api', 'worker', 'ingest', 'scheduler', 'frontend', 'cache', 'gateway'] as const;
const PATCH_GROUPS = ['Linux Tier 1', 'Linux Tier 2', 'manual'] as const;
const BACKUPS = ['daily', 'weekly', 'none'] as const;
const NODE_ROLES = ['worker', 'control-plane'] as const;

/**
 * Fourteen tags as real fleets have them, spaces, slashes, colons, an empty value and AWS's own among
 * them; about 0.5 KB of text.
 */
export function seedTags(salt: number, region: string): Map<string, string> {
  const application = pick(APPLICATIONS, salt, 1);
  const environment = pick(ENVIRONMENTS, salt, 2);
  const team = pick(TEAMS, salt, 3);
  return new Map([
    ['Name', `${application}-${environment}-${hexOf(salt, 4, 6)}`],
    ['env', environment],
    ['team', team],
    ['application', application],
    ['owner', `${team}@example.com`],
    ['cost-center', `cc-${1000 + (mix(salt, 5) % 900)}`],
    ['version', `${mix(salt, 6) % 9}.${mix(salt, 7) % 40}.${mix(salt, 8) % 100}`],
    ['Patch Group', pick(PATCH_GROUPS, salt, 9)],
    ['backup', pick(BACKUPS, salt, 10)],
    ['kubernetes.io/role', pick(NODE_ROLES, salt, 11)],
    [`kubernetes.io/cluster/${team}-${environment}`, 'owned'],
    ['repository', `https://git.example.com/${team}/${application}.git?ref=${hexOf(salt, 12, 12)}`],
    ['ephemeral', ''],
    ['aws:autoscaling:groupName', `${application}-${environment}-${region}`],
  ]);
}
