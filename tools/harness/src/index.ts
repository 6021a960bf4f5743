export { metricSum } from './metrics.ts';
export { connectOperator, type Operator } from './operator.ts';
export { freePort } from './ports.ts';
export { startProcess, type ManagedProcess, type ProcessOptions } from './process.ts';
export { runTagctl, startService, waitUntilReady, type ProgramName, type Settings } from './programs.ts';
export { waitFor } from './wait.ts';
