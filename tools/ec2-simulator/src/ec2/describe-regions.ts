import { AwsError } from '../aws-error.ts';
import type { OptInStatus } from '../estate/estate.ts';
import type { Action } from './action.ts';
import { compileFilters, readFilters } from './filters.ts';
import { refuseDryRun, textsOf } from './parameters.ts';
import { xml } from '../xml.ts';

interface RegionOfAccount {
  readonly name: string;
  readonly optIn: OptInStatus;
}

/** The regions that the account has enabled; with `AllRegions`, also the others. */
export const describeRegions: Action = ({ caller, parameters }, { fleet, estate }) => {
  const names = textsOf(parameters, 'RegionName');
  const unknown = names.find((name) => !fleet.hasRegion(name));
  if (unknown !== undefined) {
    throw new AwsError('InvalidParameterValue', `Invalid region names: [${unknown}]`);
  }
  const matches = compileFilters(readFilters(parameters), regionTexts);
  refuseDryRun(parameters);
  const all = parameters.get('AllRegions') === 'true';
  const regions = fleet.options.regions
    .map((name) => ({ name, optIn: estate.optInStatus(caller.account, name) }))
    .filter(({ optIn }) => all || optIn !== 'not-opted-in')
    .filter((region) => matches(region) && (names.length === 0 || names.includes(region.name)));
  return ['\n<regionInfo>', ...regions.map(regionXml), '\n</regionInfo>'];
};

function regionTexts(name: string): ((region: RegionOfAccount) => Iterable<string>) | undefined {
  if (name === 'region-name') return (region) => [region.name];
  if (name === 'endpoint') return (region) => [endpointOf(region.name)];
  if (name === 'opt-in-status') return ({ optIn }) => [optIn];
  return undefined;
}

function endpointOf(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}

function regionXml({ name, optIn }: RegionOfAccount): string {
  return xml`
        <item>
            <regionName>${name}</regionName>
            <regionEndpoint>${endpointOf(name)}</regionEndpoint>
            <optInStatus>${optIn}</optInStatus>
        </item>`;
}
