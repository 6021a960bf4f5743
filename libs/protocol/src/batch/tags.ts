/**
 * The tags of an encoded ServerInfo's fields, one byte each: the field's number times eight, and 2 for
 * what has a length or 0 for a number.
 */
export const Tag = {
  name: 0x0a,
  match: 0x12,
  label: 0x1a,
  observedAt: 0x22,
  ttl: 0x42,
  // Of a label.
  key: 0x0a,
  value: 0x12,
  // Of the match.
  awsInstance: 0x0a,
  serverId: 0x12,
  // Of the AWS instance.
  accountId: 0x0a,
  region: 0x12,
  instanceId: 0x1a,
  // Of a time.
  seconds: 0x08,
  nanos: 0x10,
} as const;
