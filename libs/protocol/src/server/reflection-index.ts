import type { DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** What reflection can be asked for: files by name, and by the names declared in them. */
export interface ReflectionIndex {
  /** Full names, sorted. */
  readonly services: readonly string[];
  /** The file of this name (`a/b.proto`) and all it imports, each once, as serialized descriptors. */
  fileByName(name: string): readonly SerializedFile[] | undefined;
  /** The same for the file that declares a service, method, message, field, enum, value or extension. */
  fileBySymbol(symbol: string): readonly SerializedFile[] | undefined;
  fileByExtension(extendee: string, number: number): readonly SerializedFile[] | undefined;
  /** Sorted; undefined when there is no such message. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
}

export interface SerializedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Indexes the files of these services and everything that they import. */
export function createReflectionIndex(services: readonly DescService[]): ReflectionIndex {
  const files = new Map<string, DescFile>();
  for (const service of services) addFile(files, service.file);
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files.values()) {
    for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
    for (const extension of [...file.extensions, ...file.messages.flatMap(nestedExtensions)]) {
      const numbers = extensions.get(extension.extendee.typeName) ?? new Map<number, DescFile>();
      extensions.set(extension.extendee.typeName, numbers.set(extension.number, file));
    }
  }
  const withImports = (file: DescFile | undefined): readonly SerializedFile[] | undefined => {
    if (file === undefined) return undefined;
    const needed = new Map<string, DescFile>();
    addFile(needed, file);
    return [...needed].map(([name, { proto }]) => ({
      name,
      bytes: toBinary(FileDescriptorProtoSchema, proto),
    }));
  };
  return {
    services: services.map(({ typeName }) => typeName).sort(),
    fileByName: (name) => withImports(files.get(name)),
    fileBySymbol: (symbol) => withImports(symbols.get(symbol.replace(/^\./, ''))),
    fileByExtension: (extendee, number) => withImports(extensions.get(extendee)?.get(number)),
    extensionNumbers: (extendee) => {
      if (!symbols.has(extendee)) return undefined;
      return [...(extensions.get(extendee)?.keys() ?? [])].sort((a, b) => a - b);
    },
  };
}

/** The file first, then its imports: clients take the first as the answer. */
function addFile(files: Map<string, DescFile>, file: DescFile): void {
  const name = `${file.name}.proto`;
  if (files.has(name)) return;
  files.set(name, file);
  for (const imported of file.dependencies) addFile(files, imported);
}

function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    for (const method of service.methods) yield `${service.typeName}.${method.name}`;
  }
  for (const extension of file.extensions) yield extension.typeName;
  for (const item of file.enums) yield* enumSymbols(item);
  for (const message of file.messages) yield* messageSymbols(message);
}

function* messageSymbols(message: DescMessage): Generator<string> {
  yield message.typeName;
  for (const field of message.fields) yield `${message.typeName}.${field.name}`;
  for (const oneof of message.oneofs) yield `${message.typeName}.${oneof.name}`;
  for (const extension of message.nestedExtensions) yield extension.typeName;
  for (const item of message.nestedEnums) yield* enumSymbols(item);
  for (const nested of message.nestedMessages) yield* messageSymbols(nested);
}

/** In protobuf an enum's values belong to the scope around the enum. */
function* enumSymbols(item: DescMessage['nestedEnums'][number]): Generator<string> {
  yield item.typeName;
  const scope = item.typeName.slice(0, item.typeName.lastIndexOf('.') + 1);
  for (const value of item.values) yield scope + value.name;
}

function nestedExtensions(message: DescMessage): DescMessage['nestedExtensions'] {
  return [...message.nestedExtensions, ...message.nestedMessages.flatMap(nestedExtensions)];
}
