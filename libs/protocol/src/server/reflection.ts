import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import type { ServerReflectionRequest } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ServerReflectionRequest as AlphaRequest } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { createReflectionIndex } from './reflection-index.ts';
import type { ReflectionIndex, SerializedFile } from './reflection-index.ts';

// Both versions have the same members; only the package's name differs.
type Question = (ServerReflectionRequest | AlphaRequest)['messageRequest'];
type Answer =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'errorResponse'; value: { errorCode: Code; errorMessage: string } };

/**
 * Serves grpc.reflection.v1 and v1alpha for these services (and itself), so that tools such as grpcurl
 * need no .proto files.
 */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const index = createReflectionIndex([...services, ServerReflection, ServerReflectionAlpha]);
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<string>();
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<string>();
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
}

/** @param sent names of the files that this stream has had; imports among them are not sent again */
function answer(index: ReflectionIndex, question: Question, sent: Set<string>): Answer {
  switch (question.case) {
    case 'listServices': {
      const service = index.services.map((name) => ({ name }));
      return { case: 'listServicesResponse', value: { service } };
    }
    case 'fileByFilename':
      return filesAnswer(index.fileByName(question.value), sent);
    case 'fileContainingSymbol':
      return filesAnswer(index.fileBySymbol(question.value), sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      return filesAnswer(index.fileByExtension(containingType, extensionNumber), sent);
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.extensionNumbers(question.value);
      if (numbers === undefined) return failure(Code.NotFound, 'no such message here');
      const value = { baseTypeName: question.value, extensionNumber: [...numbers] };
      return { case: 'allExtensionNumbersResponse', value };
    }
    case undefined:
      return failure(Code.InvalidArgument, 'nothing was asked for');
  }
}

function filesAnswer(files: readonly SerializedFile[] | undefined, sent: Set<string>): Answer {
  if (files === undefined) return failure(Code.NotFound, 'not here');
  const fresh = files.filter(({ name }, position) => position === 0 || !sent.has(name));
  for (const { name } of fresh) sent.add(name);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: fresh.map(({ bytes }) => bytes) } };
}

function failure(code: Code, message: string): Answer {
  return { case: 'errorResponse', value: { errorCode: code, errorMessage: message } };
}
