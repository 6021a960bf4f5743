export { runAgentProgram, startAgentProcess, type AgentProcess, type Finished } from './agent-process.ts';
export { FakeStream, startFakeAuth, type FakeAuth, type FakeAuthOptions } from './fake-auth.ts';
export { FakeSigner } from './fake-signer.ts';
export { heardLog } from './heard-log.ts';
export { Queue } from './queue.ts';
export { eventually } from './wait.ts';
export {
  clockAt,
  heldOf,
  heldRolesOf,
  replaceWith,
  sampleInstance,
  sampleRole,
  sampleServerId,
} from './samples.ts';
export { startAgent, type RunningAgent } from './running-agent.ts';
export { startFakeMetadata, type FakeMetadata } from './fake-metadata.ts';
