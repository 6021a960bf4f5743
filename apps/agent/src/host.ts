/** For programs that run many agents in one process: demos and benchmarks. */
export type { AgentView } from './agent-view.ts';
export { runAgent, type RunOptions } from './compose.ts';
export { type AgentSettings } from './config.ts';
export type { AgentObserver } from './observer.ts';
