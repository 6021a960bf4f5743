import { ignored, malformed } from './change.ts';
import type { ParsedEvent } from './change.ts';
import { headOf } from './event-head.ts';
import type { EventHead } from './event-head.ts';
import { parseObject, textAt } from './json.ts';
import { parseCloudTrailEvent } from './parse-cloudtrail.ts';
import { parseStateEvent } from './parse-state.ts';
import { parseTagEvent } from './parse-tag.ts';

/** SQS carries no more (1 MiB); what is longer is not worth parsing. */
const MAX_BODY_CHARACTERS = 1024 * 1024;

/**
 * What the body of an SQS message says: an event as EventBridge writes it, as it is or in a notification
 * of SNS. Never throws, whatever the text is.
 */
export function parseEvent(body: string): ParsedEvent {
  if (body.length > MAX_BODY_CHARACTERS) return malformed('longer than SQS carries');
  const outer = parseObject(body);
  if (outer === undefined) return malformed('no JSON object');
  const notification = textAt(outer, 'Type') === 'Notification' ? textAt(outer, 'Message') : undefined;
  const event = notification === undefined ? outer : parseObject(notification);
  if (event === undefined) return malformed('a notification without a JSON object');
  const [source, type] = [textAt(event, 'source'), textAt(event, 'detail-type')];
  if (source === undefined || type === undefined) return malformed('no event of EventBridge');
  const parse = PARSERS.get(`${source} ${type}`);
  if (parse === undefined) return ignored('other-event');
  const head = headOf(event);
  return head === undefined ? malformed('no id, account, region or time') : parse(event, head);
}

type Parser = (event: object, head: EventHead) => ParsedEvent;

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['aws.ec2 EC2 Instance State-change Notification', parseStateEvent],
  ['aws.tag Tag Change on Resource', parseTagEvent],
  ['aws.ec2 AWS API Call via CloudTrail', parseCloudTrailEvent],
]);
