export { commandsContract, type CommandsHarness } from './commands-contract.ts';
export { fakeCommands, type FakeCommand, type FakeCommands } from './fake-commands.ts';
export {
  assumedXml,
  fakeEndpoint,
  type EndpointAnswer,
  type FakeEndpoint,
  type ReceivedCall,
} from './fake-endpoint.ts';
export { fakeQueue, type FakeQueue } from './fake-queue.ts';
export { testInstance, testRegion } from './ids.ts';
export { queueContract, type QueueHarness } from './queue-contract.ts';
