import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { PolicyDocument } from './aws-sources.ts';
import { actionsOf, calledActions, jsonFiles, template, terraformModule } from './aws-sources.ts';
import { importSource } from './programs.ts';

/** What discovery's own calls need, and what EventBridge does on its behalf. */
const OF_DISCOVERY = ['discovery', 'enrolment', 'member', 'organization'];
const OF_EVENTBRIDGE: Readonly<Record<string, readonly string[]>> = {
  bus: ['events:PutEvents'],
  forward: ['events:PutEvents'],
  'forward-trust': ['sts:AssumeRole'],
  queue: ['sqs:SendMessage', 'sqs:*'],
};
/** A role with session tags is assumed with this as well; it is no call. */
const WITHOUT_CALL = ['sts:TagSession'];
/** AWS lets everybody do this. */
const WITHOUT_ACTION = ['sts:GetCallerIdentity'];

let policies: Map<string, PolicyDocument>;
let patterns: Map<string, unknown>;

beforeAll(async () => {
  policies = (await jsonFiles('policies')) as Map<string, PolicyDocument>;
  patterns = await jsonFiles('events');
});

function policy(name: string): PolicyDocument {
  const found = policies.get(name);
  if (found === undefined) throw new Error(`there is no policy ${name}`);
  return found;
}

describe('the policies of deploy/aws', () => {
  it('allow every call that the code makes, and no other', async () => {
    const called = await calledActions();
    const allowed = new Set(OF_DISCOVERY.flatMap((name) => actionsOf(policy(name))));
    const unused = [...allowed].filter((action) => !called.has(action) && !WITHOUT_CALL.includes(action));
    const missing = [...called].filter((action) => !allowed.has(action) && !WITHOUT_ACTION.includes(action));
    expect({ unused, missing }).toEqual({ unused: [], missing: [] });
    expect(allowed.size).toBeGreaterThan(10);
  });

  it('are all accounted for', () => {
    const others = [...policies].filter(([name]) => !OF_DISCOVERY.includes(name));
    const actions = others.map(([name, document]) => [name, actionsOf(document)]);
    const trust = ['sts:AssumeRole', 'sts:TagSession'];
    expect(Object.fromEntries(actions)).toEqual({ ...OF_EVENTBRIDGE, 'member-trust': trust });
  });

  it('say "any resource" only where AWS knows no smaller one', () => {
    const wide = [...policies].flatMap(([name, { Statement }]) =>
      Statement.filter(({ Resource }) => Resource === '*').map(({ Sid }) => `${name}/${Sid}`),
    );
    expect(wide).toEqual([
      'discovery/ReadOwnInstances',
      'enrolment/SeeManagedInstancesAndResults',
      'member/ReadInstances',
      'organization/ReadOrganization',
    ]);
  });
});

describe('the Terraform modules of deploy/aws', () => {
  it('use every policy and pattern, with the variables that it has', async () => {
    const used = new Set<string>();
    for (const name of ['hub', 'member', 'region']) {
      const text = await terraformModule(name);
      for (const [, file = '', given = ''] of text.matchAll(
        /(?:templatefile|file)\("\$\{local\.policies\}\/([\w-]+)\.json"(?:, \{([^}]*)\})?\)/g,
      )) {
        used.add(file);
        const variables = [...given.matchAll(/^\s*(\w+)\s*=/gm)].map(([, variable]) => variable);
        const wanted = [...JSON.stringify(policy(file)).matchAll(/\$\{(\w+)\}/g)].map(([, each]) => each);
        expect([file, variables.sort()]).toEqual([file, [...new Set(wanted)].sort()]);
      }
    }
    expect([...used].sort()).toEqual([...policies.keys()].sort());
    for (const name of ['hub', 'region']) {
      const [, rules = ''] = /rules\s*=\s*toset\(\[([^\]]*)\]\)/.exec(await terraformModule(name)) ?? [];
      const named = [...rules.matchAll(/"(\w+)"/g)].map(([, rule]) => rule);
      expect(named.sort()).toEqual([...patterns.keys()]);
    }
  });
});

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** What stands for a policy's variables in a template. */
type Substitutes = Readonly<Record<string, unknown>>;

async function resources(name: string): Promise<Record<string, Resource>> {
  return (parse(await template(name)) as { Resources: Record<string, Resource> }).Resources;
}

/** A policy as CloudFormation writes it. */
function substituted(value: unknown, by: Substitutes): unknown {
  if (Array.isArray(value)) return value.map((each) => substituted(each, by));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substituted(each, by)]));
  }
  if (typeof value !== 'string' || !value.includes('${')) return value;
  const whole = /^\$\{(\w+)\}$/.exec(value)?.[1];
  if (whole !== undefined) return by[whole];
  return { 'Fn::Sub': value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => String(by[name])) };
}

describe('the CloudFormation templates of deploy/aws', () => {
  const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
  const ref = (name: string) => ({ Ref: name });
  const enrolment = { partition: '${AWS::Partition}', document_name: '${DocumentName}' };
  const rules = 'arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${Name}/*';

  it.each<[string, string, string, string, Substitutes]>([
    [
      ...(['hub', 'DiscoveryPolicy', 'PolicyDocument', 'discovery'] as const),
      { partition: '${AWS::Partition}', member_role_name: '${MemberRoleName}', queue_arn: arn('Events') },
    ],
    ['hub', 'OrganizationPolicy', 'PolicyDocument', 'organization', {}],
    ['hub', 'EnrolmentPolicy', 'PolicyDocument', 'enrolment', enrolment],
    [
      ...(['hub', 'EventsPolicy', 'PolicyDocument', 'queue'] as const),
      { queue_arn: arn('Events'), rules_arn: { 'Fn::Sub': rules } },
    ],
    [
      ...(['member', 'DiscoveryRole', 'AssumeRolePolicyDocument', 'member-trust'] as const),
      { discovery_role_arn: ref('DiscoveryRoleArn'), external_id: ref('ExternalId') },
    ],
    ['member', 'DiscoveryPolicy', 'PolicyDocument', 'member', {}],
    ['member', 'EnrolmentPolicy', 'PolicyDocument', 'enrolment', enrolment],
    ['member', 'ForwardRole', 'AssumeRolePolicyDocument', 'forward-trust', {}],
    ['member', 'ForwardPolicy', 'PolicyDocument', 'forward', { bus_arn: ref('BusArn') }],
  ])('%s has in %s.%s the policy %s', async (name, resource, property, source, by) => {
    const found = (await resources(name))[resource]?.Properties[property];
    expect(found).toEqual(substituted(policy(source), by));
  });

  it('hub has the policy of the bus', async () => {
    const by = { bus_arn: arn('Bus'), organization_id: ref('OrganizationId') };
    const [statement] = policy('bus').Statement;
    const { BusPolicy } = await resources('hub');
    expect(BusPolicy?.Properties['Statement']).toEqual(substituted(statement, by));
  });

  it.each(['hub', 'region'])('%s has a rule for every pattern', async (name) => {
    const found = Object.values(await resources(name)).filter(({ Type }) => Type === 'AWS::Events::Rule');
    const rulesByName = Object.fromEntries(
      found.map(({ Properties }) => {
        const { 'Fn::Sub': text } = Properties['Name'] as { 'Fn::Sub': string };
        return [text.replace('${Name}-', ''), Properties['EventPattern']];
      }),
    );
    expect(rulesByName).toEqual(Object.fromEntries(patterns));
  });
});

describe('the patterns of deploy/aws', () => {
  const PLACE = {
    account: '123456789012',
    region: 'eu-central-1',
    time: '2026-11-23T05:00:00Z',
    id: 'event-1',
  };
  const INSTANCE = 'i-0123456789abcdef0';
  const items = [{ resourceId: INSTANCE }];
  const DETAILS: Readonly<Record<string, object>> = {
    state: { 'instance-id': INSTANCE, state: 'running' },
    tag: { 'changed-tag-keys': ['env'], tags: { env: 'prod' }, version: 1 },
    cloudtrail: {
      requestParameters: { resourcesSet: { items }, tagSet: { items: [{ key: 'env', value: 'prod' }] } },
    },
  };

  /** An event that the pattern matches: the first of the values that each field may have. */
  function sample(name: string): object {
    const first = (value: unknown): unknown => {
      if (Array.isArray(value)) return value[0];
      return Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, first(each)]));
    };
    const { detail, ...head } = first(patterns.get(name)) as { detail?: object };
    const resources = [`arn:aws:ec2:${PLACE.region}:${PLACE.account}:instance/${INSTANCE}`];
    return { version: '0', ...PLACE, ...head, resources, detail: { ...detail, ...DETAILS[name] } };
  }

  it.each(['state', 'tag', 'cloudtrail'])('let through what discovery reads: %s', async (name) => {
    const { parseEvent } = (await importSource('apps/discovery/src/events/parse-event.ts')) as {
      readonly parseEvent: (body: string) => { readonly kind: string; readonly source?: string };
    };
    expect(patterns.has(name)).toBe(true);
    expect(parseEvent(JSON.stringify(sample(name)))).toMatchObject({ kind: 'changes', source: name });
  });
});
