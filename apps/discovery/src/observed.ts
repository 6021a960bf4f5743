import type { DiscoveredInstance } from '@tagplane/ec2';
import type { InstanceKey } from '@tagplane/identity';
import { discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import type { Scope, ScopeSet } from './estate/scope.ts';
import type { Inventory } from './inventory.ts';

/** What a targeted look found out. */
export interface TargetedLook {
  readonly instances: readonly DiscoveredInstance[];
  /** Asked for, and not known to EC2. */
  readonly missing: readonly InstanceKey[];
  /** Unix milliseconds: before the request left. */
  readonly askedAt: number;
}

interface Parts {
  readonly scopes: ScopeSet;
  readonly inventory: Inventory;
}

/**
 * Lays a targeted look into the inventory, for every scope of the place that was asked.
 *
 * @returns names of which it said something newer than was known
 */
export function observed({ scopes, inventory }: Parts, asked: Scope, look: TargetedLook): string[] {
  const { askedAt } = look;
  const names = new Set<string>();
  const lay = (scope: Scope, name: string, found: FoundInstance | undefined): void => {
    if (inventory.look(scope.id, name, { askedAt, found })) names.add(name);
  };
  for (const instance of look.instances) {
    if (!isAt(asked, instance.key)) continue;
    const name = discoveredName(instance.key);
    const at = scopes.at(instance.key);
    const having = at.filter((scope) => has(scope, instance, inventory.of(scope.id).get(name)));
    // The terminated have lost what filters go by; that they are has to be known to someone.
    const [first] = at;
    if (having.length === 0 && instance.state === 'terminated' && first !== undefined) having.push(first);
    for (const scope of at) {
      const previous = inventory.of(scope.id).get(name);
      const found = having.includes(scope)
        ? observeInstance(instance, askedAt, { previous, carry: scope.carry })
        : undefined;
      lay(scope, name, found);
    }
  }
  for (const key of look.missing) {
    if (!isAt(asked, key)) continue;
    for (const scope of scopes.at(key)) lay(scope, discoveredName(key), undefined);
  }
  return [...names];
}

function has(scope: Scope, instance: DiscoveredInstance, previous: FoundInstance | undefined): boolean {
  return scope.matches(instance) || (instance.state === 'terminated' && previous !== undefined);
}

function isAt({ place }: Scope, { account, region }: InstanceKey): boolean {
  return place.region === region && (place.account === undefined || place.account === account);
}
