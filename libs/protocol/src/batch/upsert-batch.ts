import { toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { UpsertServerInfosBatch } from '../gen/tagplane/v1/serverinfo_batch_pb.ts';
import type { UpsertServerInfosResponse } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { ServerInfoSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';
import type { ServerInfoService } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { upsertBatchMethod } from './upsert-method.ts';

/** Serves `UpsertServerInfos` from items that are still encoded; `decodeDraft` reads them. */
export type UpsertBatch = (
  request: Pick<UpsertServerInfosBatch, 'serverInfos' | 'createOnly' | 'fence'>,
  context: HandlerContext,
) => Promise<UpsertServerInfosResponse>;

/** The service's own method by way of the batch, for requests that came as JSON. */
export function upsertByBatch(
  batch: UpsertBatch,
): ServiceImpl<typeof ServerInfoService>['upsertServerInfos'] {
  return ({ serverInfos, createOnly, fence }, context) => {
    const encoded = serverInfos.map((message) => toBinary(ServerInfoSchema, message));
    return batch({ serverInfos: encoded, createOnly, ...(fence && { fence }) }, context);
  };
}

/** The method for requests in binary form, to be given as the API server's `binaryRoutes`. */
export function upsertBatchRoute(router: ConnectRouter, batch: UpsertBatch): void {
  router.rpc(upsertBatchMethod, batch);
}
