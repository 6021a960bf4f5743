import { AwsError } from '../aws-error.ts';
import type { Action } from './action.ts';
import { compileFilters, readFilters } from './filters.ts';
import { refuseDryRun, textsOf } from './parameters.ts';
import { xml } from '../xml.ts';

const OPT_IN_STATUS = 'opt-in-not-required';

export const describeRegions: Action = ({ parameters }, { fleet }) => {
  const names = textsOf(parameters, 'RegionName');
  const unknown = names.find((name) => !fleet.hasRegion(name));
  if (unknown !== undefined) {
    throw new AwsError('InvalidParameterValue', `Invalid region names: [${unknown}]`);
  }
  const matches = compileFilters(readFilters(parameters), regionTexts);
  refuseDryRun(parameters);
  const regions = fleet.options.regions.filter(
    (region) => matches(region) && (names.length === 0 || names.includes(region)),
  );
  return ['\n<regionInfo>', ...regions.map(regionXml), '\n</regionInfo>'];
};

function regionTexts(name: string): ((region: string) => Iterable<string>) | undefined {
  if (name === 'region-name') return (region) => [region];
  if (name === 'endpoint') return (region) => [endpointOf(region)];
  if (name === 'opt-in-status') return () => [OPT_IN_STATUS];
  return undefined;
}

function endpointOf(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}

function regionXml(region: string): string {
  return xml`
        <item>
            <regionName>${region}</regionName>
            <regionEndpoint>${endpointOf(region)}</regionEndpoint>
            <optInStatus>${OPT_IN_STATUS}</optInStatus>
        </item>`;
}
