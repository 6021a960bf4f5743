export { AwsError } from './aws-error.ts';
export { type Fault } from './faults.ts';
export {
  FleetControl,
  type InstanceRef,
  type InstanceView,
  type ListOptions,
  type RunOptions,
  type TagChanges,
} from './fleet-control.ts';
export { type InstanceState } from './fleet/instance.ts';
export {
  createEc2Simulator,
  type Ec2Simulator,
  type Ec2SimulatorOptions,
  type RunningSimulator,
} from './simulator.ts';
export { type StatsReport } from './stats.ts';
export {
  StsControl,
  type AwsKeys,
  type InstanceOfRole,
  type StsCredentials,
  type StsIdentity,
} from './sts/sts-control.ts';
