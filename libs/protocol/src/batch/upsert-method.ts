import type { DescMethodUnary } from '@bufbuild/protobuf';
import { UpsertServerInfosBatchSchema } from '../gen/tagplane/v1/serverinfo_batch_pb.ts';
import { ServerInfoService } from '../gen/tagplane/v1/serverinfo_pb.ts';
import type { UpsertServerInfosResponseSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';

/**
 * `UpsertServerInfos` with its items left encoded. Address, authority and bytes are those of the service's
 * own method, so either end may use it without the other knowing. Binary messages only: its JSON differs.
 */
export const upsertBatchMethod: DescMethodUnary<
  typeof UpsertServerInfosBatchSchema,
  typeof UpsertServerInfosResponseSchema
> = { ...ServerInfoService.method.upsertServerInfos, input: UpsertServerInfosBatchSchema };
