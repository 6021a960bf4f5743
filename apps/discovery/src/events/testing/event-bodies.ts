/** Bodies of messages, written as EventBridge writes them; for specs. */

export const PLACE = { account: '123456789012', region: 'eu-central-1' } as const;
export const TIME = '2026-04-08T13:00:00Z';
export const INSTANCE = 'i-0123456789abcdef0';

export interface EventParts {
  readonly id?: string;
  readonly account?: string;
  readonly region?: string;
  readonly time?: string;
  readonly instance?: string;
}

export function envelope(source: string, type: string, detail: object, parts: EventParts = {}): object {
  const { id = 'event-1', account = PLACE.account, region = PLACE.region, time = TIME } = parts;
  return { version: '0', id, 'detail-type': type, source, account, time, region, resources: [], detail };
}

export function stateEvent(state: string, parts: EventParts = {}): object {
  const { instance = INSTANCE } = parts;
  const detail = { 'instance-id': instance, state };
  return envelope('aws.ec2', 'EC2 Instance State-change Notification', detail, parts);
}

export function tagEvent(
  changed: readonly string[],
  tags: Readonly<Record<string, string>>,
  { version = 3, ...parts }: EventParts & { version?: number } = {},
): object {
  const { account = PLACE.account, region = PLACE.region, instance = INSTANCE } = parts;
  const detail = { 'changed-tag-keys': changed, service: 'ec2', 'resource-type': 'instance', version, tags };
  return {
    ...envelope('aws.tag', 'Tag Change on Resource', detail, parts),
    resources: [`arn:aws:ec2:${region}:${account}:instance/${instance}`],
  };
}

export function callEvent(eventName: string, detail: object, parts: EventParts = {}): object {
  const { account = PLACE.account, region = PLACE.region, time = TIME } = parts;
  const call = { eventName, eventSource: 'ec2.amazonaws.com', eventTime: time, awsRegion: region };
  return envelope(
    'aws.ec2',
    'AWS API Call via CloudTrail',
    { ...call, recipientAccountId: account, ...detail },
    parts,
  );
}

/** Of CreateTags or DeleteTags; a value of undefined is left out. */
export function taggingCall(
  eventName: string,
  tags: Readonly<Record<string, string | undefined>>,
  resources: readonly string[] = [INSTANCE],
): object {
  const requestParameters = {
    resourcesSet: { items: resources.map((resourceId) => ({ resourceId })) },
    tagSet: { items: Object.entries(tags).map(([key, value]) => ({ key, value })) },
  };
  return callEvent(eventName, { requestParameters });
}
