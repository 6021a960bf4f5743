export { AwsCallError, type AwsCallErrorKind, type AwsCallFailure } from './call-error.ts';
export { callerAccount } from './caller.ts';
export type { AwsCallOptions, AwsCredentialSource } from './client.ts';
export {
  createCommands,
  type CommandRequest,
  type CommandResult,
  type CommandStatus,
  type Commands,
  type ManagedInstance,
} from './commands.ts';
export { listAccounts, type ListAccountsOptions, type OrganizationAccount } from './organization.ts';
export {
  createQueue,
  type Queue,
  type QueueMessage,
  type QueueOptions,
  type ReceiveOptions,
} from './queue.ts';
export type { AwsCredentialProvider, AwsCredentials } from './role-cell.ts';
export { RoleError, type RoleFailure } from './role-error.ts';
export {
  createRoleCredentials,
  createRoles,
  type RoleCredentials,
  type RoleStep,
  type Roles,
  type RolesOptions,
} from './roles.ts';
