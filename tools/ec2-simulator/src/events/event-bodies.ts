import type { InstanceState, SimInstance } from '../fleet/instance.ts';

/** What all events of EventBridge begin with. */
interface Head {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly resources: readonly string[];
}

type Place = Pick<SimInstance, 'account' | 'region'>;

/** In whole seconds, as EventBridge and CloudTrail tell the time. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function envelope({ account, region }: Place, { id, source, type, at, resources }: Head, detail: object) {
  const time = timeText(at);
  return { version: '0', id, 'detail-type': type, source, account, time, region, resources, detail };
}

function arnOf({ account, region, id }: SimInstance): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:ec2:${region}:${account}:instance/${id}`;
}

/** `EC2 Instance State-change Notification`. */
export function stateBody(instance: SimInstance, state: InstanceState, id: string, at: number): object {
  const type = 'EC2 Instance State-change Notification';
  const head = { id, source: 'aws.ec2', type, at, resources: [arnOf(instance)] };
  return envelope(instance, head, { 'instance-id': instance.id, state });
}

/** Tags that an instance has now, and those that have changed. */
export interface ChangedTags {
  readonly keys: readonly string[];
  readonly after: ReadonlyMap<string, string>;
}

/** `Tag Change on Resource`. */
export function tagBody(
  instance: SimInstance,
  { keys, after }: ChangedTags,
  { id, at, version }: { readonly id: string; readonly at: number; readonly version: number },
): object {
  const head = { id, source: 'aws.tag', type: 'Tag Change on Resource', at, resources: [arnOf(instance)] };
  return envelope(instance, head, {
    'changed-tag-keys': keys,
    service: 'ec2',
    'resource-type': 'instance',
    version,
    tags: Object.fromEntries(after),
  });
}

/** `AWS API Call via CloudTrail` of CreateTags or DeleteTags. */
export function callBody(
  instance: SimInstance,
  { keys, after }: ChangedTags,
  { id, at, eventName }: { readonly id: string; readonly at: number; readonly eventName: string },
): object {
  const type = 'AWS API Call via CloudTrail';
  const head = { id, source: 'aws.ec2', type, at, resources: [] };
  const items = keys.map((key) => (after.has(key) ? { key, value: after.get(key) } : { key }));
  return envelope(instance, head, {
    eventVersion: '1.10',
    eventTime: timeText(at),
    eventSource: 'ec2.amazonaws.com',
    eventName,
    awsRegion: instance.region,
    requestParameters: {
      resourcesSet: { items: [{ resourceId: instance.id }] },
      tagSet: { items },
    },
    responseElements: { _return: true },
    eventType: 'AwsApiCall',
    recipientAccountId: instance.account,
  });
}

/** Of another service, another account and another region: by turns. */
export function foreignBody(place: Place, id: string, at: number, turn: number): object {
  const upload = { id, source: 'aws.s3', type: 'Object Created', at, resources: ['arn:aws:s3:::bucket'] };
  if (turn % 3 === 0) return envelope(place, upload, { bucket: { name: 'bucket' } });
  const elsewhere =
    turn % 3 === 1 ? { ...place, account: '999999999999' } : { ...place, region: 'ap-southeast-4' };
  const type = 'EC2 Instance State-change Notification';
  const head = { id, source: 'aws.ec2', type, at, resources: [] };
  return envelope(elsewhere, head, { 'instance-id': 'i-0fedcba9876543210', state: 'running' });
}

const DEEP = 50_000;

/** Texts that are no event, by turns: cut off, empty, hostile. */
export function malformedBody(turn: number): string {
  const texts = [
    '{"version":"0","detail-type":',
    '[]',
    'hello',
    '{"source":"aws.tag","detail-type":"Tag Change on Resource","detail":{"__proto__":{"tags":1}}}',
    `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
    '{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":7}',
  ];
  return texts[turn % texts.length] ?? '';
}
