/** For programs that run many agents in one process: demos and benchmarks. */
export type { AgentView } from './agent-view.ts';
export { type JoinBy, type JoinSettings } from './join/settings.ts';
export { type SecuritySettings } from './security.ts';
export { runAgent, type RunOptions } from './compose.ts';
export { type AgentSettings } from './config.ts';
export type { AgentObserver } from './observer.ts';
export { askAgent } from './local-client.ts';
