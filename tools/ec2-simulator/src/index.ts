export { AwsError } from './aws-error.ts';
export { type AccountOptions, type AccountStatus, type SimAccount } from './estate/account.ts';
export { Estate, type EstateOptions, type OptInStatus } from './estate/estate.ts';
export { type RoleOptions, type SimRole } from './estate/role.ts';
export {
  EVENT_KINDS,
  EventFeed,
  type EventFeedOptions,
  type EventFeedReport,
  type EventKind,
} from './events/event-feed.ts';
export { parseScript } from './fault-bodies.ts';
export { type Fault } from './faults.ts';
export {
  FleetControl,
  type FleetReport,
  type InstanceRef,
  type InstanceView,
  type ListOptions,
  type RunOptions,
  type TagChanges,
} from './fleet-control.ts';
export { type ConsistencyOptions } from './fleet/consistency.ts';
export { type InstanceState } from './fleet/instance.ts';
export { ImdsControl, type ImdsEndpoint } from './imds/imds-control.ts';
export { type DocumentSigner, type ImdsSettings } from './imds/metadata.ts';
export { type BucketUsage } from './quota/quotas.ts';
export {
  createEc2Simulator,
  type Ec2Simulator,
  type Ec2SimulatorOptions,
  type RunningSimulator,
} from './simulator.ts';
export { Queues, type QueueName } from './sqs/queues.ts';
export { SimQueue, type QueueCounts, type QueueSettings, type Received } from './sqs/sim-queue.ts';
export {
  type CommandHandler,
  type CommandOutcome,
  type DeliveredCommand,
  type Invocation,
  type ScriptedResult,
  type SsmAgentState,
} from './ssm/command.ts';
export { SsmControl, type SsmInstanceRef } from './ssm/ssm-control.ts';
export { type StatsReport } from './stats.ts';
export {
  StsControl,
  type AwsKeys,
  type InstanceOfRole,
  type StsCredentials,
  type StsIdentity,
} from './sts/sts-control.ts';
