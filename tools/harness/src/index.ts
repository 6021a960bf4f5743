export { bootstrapCluster, type Cluster } from './bootstrap.ts';
export { metricSum } from './metrics.ts';
export {
  addToken,
  connectOperator,
  joinSettings,
  readCredentials,
  type NewToken,
  type Operator,
  type OperatorTarget,
} from './operator.ts';
export { freePort } from './ports.ts';
export { startProcess, type ManagedProcess, type ProcessOptions } from './process.ts';
export { startService, waitUntilReady, type ProgramName, type Settings } from './programs.ts';
export { runTagctl, tagctlEnv, type TagctlRun, type TagctlTarget } from './tagctl.ts';
export { waitFor } from './wait.ts';
