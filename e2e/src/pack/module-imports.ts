import { isBuiltin } from 'node:module';
import ts from 'typescript';

/** The module specifiers that a JavaScript or declaration file imports, in any form. */
export function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** The package that a specifier names; undefined for a file beside it and for Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The packages that a file imports. */
export function packagesOf(source: string): string[] {
  return importsOf(source).flatMap((specifier) => packageOf(specifier) ?? []);
}
