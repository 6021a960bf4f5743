/** The elements of a DescribeInstances answer that are read, each where it stands. */
export type PlaceId =
  | 'root'
  | 'reservations'
  | 'reservation'
  | 'instances'
  | 'instance'
  | 'state'
  | 'tags'
  | 'tag'
  | 'nextToken'
  | 'ownerId'
  | 'instanceId'
  | 'vpcId'
  | 'platform'
  | 'stateName'
  | 'key'
  | 'value';

export interface Place {
  readonly id: PlaceId;
  readonly name: Buffer;
  /** Whether text stands in it, and no elements. */
  readonly isText: boolean;
  /** Marks it among its siblings; 0 for one that may come again. */
  readonly bit: number;
  readonly children: readonly Place[];
}

const TAG = item('tag', text('key', 'key'), text('value', 'value'));
const INSTANCE = item(
  'instance',
  text('instanceId', 'instanceId'),
  element('state', 'instanceState', text('stateName', 'name')),
  text('vpcId', 'vpcId'),
  text('platform', 'platform'),
  element('tags', 'tagSet', TAG),
);
const RESERVATION = item(
  'reservation',
  text('ownerId', 'ownerId'),
  element('instances', 'instancesSet', INSTANCE),
);

export const ROOT: Place = element(
  'root',
  'DescribeInstancesResponse',
  element('reservations', 'reservationSet', RESERVATION),
  text('nextToken', 'nextToken'),
);

function text(id: PlaceId, name: string): Place {
  return { id, name: Buffer.from(name), isText: true, bit: 1, children: [] };
}

function element(id: PlaceId, name: string, ...children: readonly Place[]): Place {
  const marked = children.map((child, index) => (child.bit === 0 ? child : { ...child, bit: 1 << index }));
  return { id, name: Buffer.from(name), isText: false, bit: 1, children: marked };
}

function item(id: PlaceId, ...children: readonly Place[]): Place {
  return { ...element(id, 'item', ...children), bit: 0 };
}
