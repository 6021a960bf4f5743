export { runAgentProgram, startAgentProcess, type AgentProcess, type Finished } from './agent-process.ts';
export { FakeStream, startFakeAuth, type FakeAuth, type FakeAuthOptions } from './fake-auth.ts';
export { heardLog } from './heard-log.ts';
export { Queue } from './queue.ts';
export { eventually } from './wait.ts';
export { clockAt, heldOf, replaceWith, sampleInstance, sampleServerId } from './samples.ts';
export { startAgent, type RunningAgent } from './running-agent.ts';
export { startFakeMetadata, type FakeMetadata } from './fake-metadata.ts';
