export { runAgentProgram, startAgentProcess, type AgentProcess, type Finished } from './agent-process.ts';
export { FakeStream, startFakeAuth, type FakeAuth, type FakeAuthOptions } from './fake-auth.ts';
export { Queue } from './queue.ts';
export { eventually } from './wait.ts';
export { clockAt, heldOf, replaceWith, sampleInstance, sampleServerId } from './samples.ts';
