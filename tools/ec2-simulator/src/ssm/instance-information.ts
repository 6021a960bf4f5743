import { AwsError } from '../aws-error.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SimInstance } from '../fleet/instance.ts';
import type { JsonAction, JsonInput } from '../json-service.ts';
import { filters, readToken, tokenOf, wholeNumber } from './input.ts';
import type { SsmControl } from './ssm-control.ts';

/** API reference of DescribeInstanceInformation. */
const RESULTS: [number, number, number] = [5, 50, 50];
const AGENT_VERSION = '3.3.2299.0';

type Test = (instance: SimInstance, ssm: SsmControl) => string;

/** What an instance has of each filter's key. */
const FACTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['InstanceIds', ({ id }) => id],
  ['PingStatus', (instance, ssm) => pingOf(instance, ssm)],
  ['PlatformTypes', ({ windows }) => (windows ? 'Windows' : 'Linux')],
  ['AgentVersion', () => AGENT_VERSION],
  ['ResourceType', () => 'EC2Instance'],
]);

/** Every instance whose SSM agent has registered, in the fleet's order. */
export function describeInstanceInformation(fleet: Fleet, ssm: SsmControl): JsonAction {
  return (input, { caller, now }) => {
    const wanted = readFilters(input);
    const limit = wholeNumber(input, 'MaxResults', RESULTS);
    const found: object[] = [];
    let next = {};
    for (const instance of fleet.after(caller.account, caller.region, readToken(input))) {
      if (ssm.agentOf(instance) === 'none' || isOver(instance, fleet)) continue;
      if (!matches(instance, wanted, ssm)) continue;
      found.push(informationOf(instance, ssm, now));
      if (found.length < limit) continue;
      next = tokenOf(instance.sequence);
      break;
    }
    return { InstanceInformationList: found, ...next };
  };
}

function isOver(instance: SimInstance, fleet: Fleet): boolean {
  const state = fleet.stateOf(instance);
  return state === 'terminated' || state === 'shutting-down';
}

function readFilters(input: JsonInput): ReadonlyMap<string, readonly string[]> {
  const [plain, old] = [
    filters(input, 'Filters', 'Key', 'Values'),
    filters(input, 'InstanceInformationFilterList', 'key', 'valueSet'),
  ];
  if (plain.size > 0 && old.size > 0) {
    throw new AwsError('ValidationException', 'Filters and InstanceInformationFilterList cannot be mixed.');
  }
  const wanted = new Map([...plain, ...old]);
  const unknown = [...wanted.keys()].find((key) => !FACTS.has(key));
  if (unknown !== undefined)
    throw new AwsError('InvalidFilterKey', `The filter key ${unknown} is not valid.`);
  return wanted;
}

function matches(
  instance: SimInstance,
  wanted: ReadonlyMap<string, readonly string[]>,
  ssm: SsmControl,
): boolean {
  return [...wanted].every(([key, values]) => values.includes(FACTS.get(key)?.(instance, ssm) ?? ''));
}

function pingOf(instance: SimInstance, ssm: SsmControl): string {
  return ssm.agentOf(instance) === 'online' ? 'Online' : 'ConnectionLost';
}

function informationOf(instance: SimInstance, ssm: SsmControl, now: number): object {
  const platform = instance.windows
    ? { PlatformType: 'Windows', PlatformName: 'Microsoft Windows Server 2022 Datacenter' }
    : { PlatformType: 'Linux', PlatformName: 'Amazon Linux' };
  return {
    ...{ InstanceId: instance.id, PingStatus: pingOf(instance, ssm), LastPingDateTime: now / 1_000 },
    ...{ AgentVersion: AGENT_VERSION, IsLatestVersion: true, ResourceType: 'EC2Instance' },
    ...platform,
    SourceId: instance.id,
    SourceType: 'AWS::EC2::Instance',
  };
}
