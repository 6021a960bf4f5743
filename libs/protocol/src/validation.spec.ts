import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator } from '@bufbuild/protovalidate';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { describe, expect, it } from '@jest/globals';
import { ServerInfoSchema, UpsertServerInfosRequestSchema } from './gen/tagplane/v1/serverinfo_pb.ts';

const WORKSPACE = join(import.meta.dirname, '../../..');

/** Name, number and type of a field, and where its type comes from. */
function shape(field: DescField): string {
  const kind = field.fieldKind === 'list' ? `repeated ${field.listKind}` : field.fieldKind;
  const type = field.message?.typeName ?? field.enum?.typeName ?? field.scalar ?? '';
  return `${field.parent.typeName}.${field.name} = ${field.number}: ${kind} ${type} ${field.oneof?.name ?? ''}`;
}

function shapes(messages: readonly DescMessage[]): string[] {
  return messages.flatMap((message) => [...message.fields.map(shape), ...shapes(message.nestedMessages)]);
}

function enumShapes(enums: readonly DescEnum[]): string[] {
  return enums.flatMap(({ typeName, values }) =>
    values.map(({ name, number }) => `${typeName}.${name} = ${number}`),
  );
}

describe('the rules of messages', () => {
  it('are written with options that mean to protovalidate what they say', () => {
    const buf = join(WORKSPACE, 'node_modules/.bin/buf');
    const image = execFileSync(buf, ['build', '--as-file-descriptor-set', '-o', '-'], { cwd: WORKSPACE });
    const built = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
    const ours = built.getFile('buf/validate/validate.proto');
    if (ours === undefined) throw new Error('there is no buf/validate/validate.proto');
    const theirs = file_buf_validate_validate;
    expect(shapes(ours.messages).length).toBeGreaterThan(10);
    expect(shapes(theirs.messages)).toEqual(expect.arrayContaining(shapes(ours.messages)));
    expect(enumShapes(theirs.enums)).toEqual(expect.arrayContaining(enumShapes(ours.enums)));
    const extensions = (file: typeof ours): string[] =>
      file.extensions.map((one) => `${one.extendee.typeName} ${one.typeName} = ${one.number}`);
    expect(extensions(ours).length).toBeGreaterThan(0);
    expect(extensions(theirs)).toEqual(expect.arrayContaining(extensions(ours)));
  });

  it('leave the items of an upsert to be checked one by one', () => {
    const validator = createValidator();
    let looked = 0;
    const item = create(ServerInfoSchema, { name: 'x' });
    Object.defineProperty(item, 'name', {
      enumerable: true,
      get() {
        looked += 1;
        return 'x';
      },
    });
    const request = create(UpsertServerInfosRequestSchema);
    request.serverInfos = Array.from({ length: 1_000 }, () => item);
    expect(validator.validate(UpsertServerInfosRequestSchema, request).kind).toBe('valid');
    expect(looked).toBe(0);
    request.serverInfos.push(item);
    expect(validator.validate(UpsertServerInfosRequestSchema, request).kind).toBe('invalid');
  });
});
