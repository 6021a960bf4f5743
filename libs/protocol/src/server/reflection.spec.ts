import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { FileRegistry, MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { AgentHelloSchema, InventoryService, NodeService } from '../index.ts';
import { reflectionRoutes } from './reflection.ts';

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>;

const transport = createRouterTransport((router) => {
  reflectionRoutes(router, [NodeService, InventoryService]);
});

async function ask(...questions: Question[]): Promise<ServerReflectionResponse['messageResponse'][]> {
  async function* requests() {
    for (const messageRequest of questions) yield { host: 'here', messageRequest };
    await Promise.resolve();
  }
  const client = createClient(ServerReflection, transport);
  const answers = await collect(client.serverReflectionInfo(requests()));
  for (const answer of answers)
    expect(answer).toMatchObject({ validHost: 'here', originalRequest: { host: 'here' } });
  return answers.map(({ messageResponse }) => messageResponse);
}

/** Names of the files in an answer; building them fails when an import is missing. */
function filesIn(answer: ServerReflectionResponse['messageResponse'] | undefined): {
  names: string[];
  bytes: Uint8Array[];
} {
  if (answer?.case !== 'fileDescriptorResponse') throw new Error(`no files but ${answer?.case ?? 'nothing'}`);
  const bytes = answer.value.fileDescriptorProto;
  return { names: bytes.map((one) => fromBinary(FileDescriptorProtoSchema, one).name), bytes };
}

/** Fails when something that a file imports is missing. */
function registryOf(bytes: readonly Uint8Array[]): FileRegistry {
  const files = bytes.map((one) => fromBinary(FileDescriptorProtoSchema, one));
  const ordered = new Set<(typeof files)[number]>();
  const add = (file: (typeof files)[number] | undefined): void => {
    if (file === undefined || ordered.has(file)) return;
    for (const name of file.dependency) add(files.find((other) => other.name === name));
    ordered.add(file);
  };
  files.forEach(add);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...ordered] }));
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('server reflection', () => {
  it('lists the services, itself included', async () => {
    const [answer] = await ask({ case: 'listServices', value: '' });
    expect(answer?.case === 'listServicesResponse' && answer.value.service.map(({ name }) => name)).toEqual([
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'tagplane.v1.InventoryService',
      'tagplane.v1.NodeService',
    ]);
  });

  it.each([
    'tagplane.v1.InventoryService',
    'tagplane.v1.InventoryService.ControlStream',
    'tagplane.v1.AgentHello',
    'tagplane.v1.AgentHello.server_id',
    'tagplane.v1.ControlStreamRequest.message',
    '.tagplane.v1.GoodbyeReason',
    'tagplane.v1.GOODBYE_REASON_DRAIN',
  ])('gives the file of %s first, and all that it imports', async (value) => {
    const [answer] = await ask({ case: 'fileContainingSymbol', value });
    const { names, bytes } = filesIn(answer);
    expect(names[0]).toBe('tagplane/v1/inventory.proto');
    expect([...names].sort()).toEqual([
      'buf/validate/validate.proto',
      'google/protobuf/descriptor.proto',
      'google/protobuf/duration.proto',
      'google/protobuf/field_mask.proto',
      'google/protobuf/timestamp.proto',
      'tagplane/v1/inventory.proto',
      'tagplane/v1/role.proto',
      'tagplane/v1/selector.proto',
      'tagplane/v1/serverinfo.proto',
    ]);
    const hello = registryOf(bytes).getMessage('tagplane.v1.AgentHello');
    expect(hello?.fields.map(({ name }) => name)).toEqual(AgentHelloSchema.fields.map(({ name }) => name));
  });

  it('gives a file by name, and extensions by number', async () => {
    const [byName, byNumber, numbers] = await ask(
      { case: 'fileByFilename', value: 'google/protobuf/duration.proto' },
      {
        case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1159 },
      },
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.FieldOptions' },
    );
    expect(filesIn(byName).names).toEqual(['google/protobuf/duration.proto']);
    expect(filesIn(byNumber).names[0]).toBe('buf/validate/validate.proto');
    expect(numbers).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: {
        baseTypeName: 'google.protobuf.FieldOptions',
        extensionNumber: expect.arrayContaining([1159]) as unknown,
      },
    });
  });

  it('sends an import once on a stream', async () => {
    const [first, second] = await ask(
      { case: 'fileContainingSymbol', value: 'tagplane.v1.InventoryService' },
      { case: 'fileContainingSymbol', value: 'tagplane.v1.NodeService' },
    );
    expect(filesIn(first).names).toContain('tagplane/v1/serverinfo.proto');
    expect(filesIn(second).names).toEqual(['tagplane/v1/node.proto']);
    const registry = registryOf([...filesIn(second).bytes, ...filesIn(first).bytes]);
    expect(registry.getService('tagplane.v1.NodeService')?.methods).toHaveLength(3);
  });

  it.each<[string, number, Question]>([
    ['an unknown file', 5, { case: 'fileByFilename', value: 'other.proto' }],
    ['an unknown symbol', 5, { case: 'fileContainingSymbol', value: '__proto__' }],
    ['an unknown extension', 5, { case: 'fileContainingExtension', value: { containingType: 'x' } }],
    ['an unknown message', 5, { case: 'allExtensionNumbersOfType', value: 'x' }],
    ['no question', 3, { case: undefined }],
  ])('answers %s with an error, and goes on', async (_what, errorCode, question) => {
    const [answer, next] = await ask(question, { case: 'listServices', value: '' });
    expect(answer).toMatchObject({ case: 'errorResponse', value: { errorCode } });
    expect(next?.case).toBe('listServicesResponse');
  });

  it('answers older tools in v1alpha', async () => {
    async function* requests() {
      yield { messageRequest: { case: 'listServices' as const, value: '' } };
      await Promise.resolve();
    }
    const client = createClient(ServerReflectionAlpha, transport);
    const [answer] = await collect(client.serverReflectionInfo(requests()));
    expect(answer?.messageResponse.case).toBe('listServicesResponse');
  });
});
