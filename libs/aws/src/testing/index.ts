export { fakeCommands, type FakeCommand, type FakeCommands } from './fake-commands.ts';
export { fakeQueue, type FakeQueue } from './fake-queue.ts';
