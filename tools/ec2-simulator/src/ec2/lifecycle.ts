import { AwsError, invalidValue } from '../aws-error.ts';
import { checkTagCount } from '../fleet/tag-rules.ts';
import type { InstanceState, SimInstance } from '../fleet/instance.ts';
import type { Action } from './action.ts';
import { readTags } from './change-tags.ts';
import { findInstances } from './instance-ids.ts';
import { instanceXml, stateXml } from './instance-xml.ts';
import { listOf, refuseDryRun, required, requiredInteger, textsOf } from './parameters.ts';
import type { ListMember } from './parameters.ts';
import { xml } from '../xml.ts';

/** A single call of EC2 starts no more either, by its usual quotas. */
const MAX_RUN = 1000;

export const runInstances: Action = ({ caller, parameters, now }, { fleet }) => {
  const imageId = required(parameters, 'ImageId');
  const minimum = requiredInteger(parameters, 'MinCount');
  const maximum = requiredInteger(parameters, 'MaxCount');
  if (minimum < 1 || maximum < minimum)
    throw invalidValue('MinCount must be at least 1 and at most MaxCount');
  if (minimum > MAX_RUN) {
    throw new AwsError('InstanceLimitExceeded', `You have requested more than ${MAX_RUN} instances`);
  }
  const tags = specifiedTags(parameters);
  refuseDryRun(parameters);
  const instances = fleet.run({
    ...caller,
    count: Math.min(maximum, MAX_RUN),
    tags,
    imageId,
    instanceType: parameters.get('InstanceType') ?? undefined,
  });
  const reservation = instances[0]?.reservationId ?? '';
  return [
    `\n<reservationId>${reservation}</reservationId>\n<ownerId>${caller.account}</ownerId>`,
    '\n<groupSet/>\n<instancesSet>',
    ...instances.map((instance) => instanceXml(instance, now)),
    '\n</instancesSet>',
  ];
};

/** The tags for instances; those for volumes and network interfaces are checked and let go. */
function specifiedTags(parameters: URLSearchParams): Map<string, string> {
  let tags = new Map<string, string>();
  for (const specification of listOf(parameters, 'TagSpecification')) {
    const read = readTags(nestedList(specification, 'Tag'));
    checkTagCount(read);
    if (specification.get('ResourceType') === 'instance') tags = read;
  }
  return tags;
}

function nestedList(member: ListMember, name: string): ListMember[] {
  return listOf(new URLSearchParams([...member]), name);
}

interface Transition {
  readonly from: ReadonlySet<InstanceState>;
  /** States in which the call succeeds and changes nothing. */
  readonly already: ReadonlySet<InstanceState>;
  readonly through: InstanceState;
  readonly to: InstanceState;
  readonly verb: string;
}

export const startInstances = changeStates({
  from: new Set(['stopped']),
  already: new Set(['pending', 'running']),
  through: 'pending',
  to: 'running',
  verb: 'started',
});

export const stopInstances = changeStates({
  from: new Set(['running']),
  already: new Set(['stopping', 'stopped']),
  through: 'stopping',
  to: 'stopped',
  verb: 'stopped',
});

export const terminateInstances = changeStates({
  from: new Set(['pending', 'running', 'stopping', 'stopped']),
  already: new Set(['shutting-down', 'terminated']),
  through: 'shutting-down',
  to: 'terminated',
  verb: 'terminated',
});

function changeStates({ from, already, through, to, verb }: Transition): Action {
  return ({ caller, parameters }, { fleet }) => {
    const instances = findInstances(fleet, caller, textsOf(parameters, 'InstanceId'));
    const before = instances.map((instance): [SimInstance, InstanceState] => [
      instance,
      fleet.stateOf(instance),
    ]);
    const stuck = before.find(([, state]) => !from.has(state) && !already.has(state));
    if (stuck !== undefined) {
      const message = `The instance '${stuck[0].id}' is not in a state from which it can be ${verb}.`;
      throw new AwsError('IncorrectInstanceState', message);
    }
    refuseDryRun(parameters);
    const items = before.map(([instance, previous]) => {
      if (from.has(previous)) fleet.transition(instance, through, to);
      return xml`
        <item>
            <instanceId>${instance.id}</instanceId>
            ${stateXml('currentState', fleet.stateOf(instance))}
            ${stateXml('previousState', previous)}
        </item>`;
    });
    return ['\n<instancesSet>', ...items, '\n</instancesSet>'];
  };
}
