import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TSC } from './build-clean.ts';
import type { Ended } from './run.ts';
import { mustRun, run } from './run.ts';

/** Packages from the registry come over the network. */
const INSTALL_MS = 300_000;
const TYPE_CHECK_MS = 180_000;
const EXAMPLE_MS = 60_000;

/** As strict as it gets, and with every declaration file checked, also those of others. */
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  module: 'nodenext',
  target: 'es2024',
  types: ['node'],
  rootDir: 'src',
  outDir: 'out',
};

/** Somebody else's project: a folder with nothing of this workspace but the packed libraries. */
export class Consumer {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the project and installs what it depends on. */
  async create(dependencies: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(join(this.#folder, 'src'), { recursive: true });
    const manifest = { name: 'consumer', private: true, type: 'module', dependencies };
    await this.#write('package.json', JSON.stringify(manifest));
    const config = { compilerOptions: COMPILER_OPTIONS, include: ['src'] };
    await this.#write('tsconfig.json', JSON.stringify(config));
    await this.install();
  }

  async install(...packages: string[]): Promise<void> {
    const args = ['install', '--no-audit', '--no-fund', '--no-progress', ...packages];
    await mustRun('npm', args, { cwd: this.#folder, timeoutMs: INSTALL_MS });
  }

  /** Where a package was installed. */
  packageFolder(name: string): string {
    return join(this.#folder, 'node_modules', name);
  }

  /** Adds a program. */
  async add(name: string, code: string): Promise<void> {
    await this.#write(join('src', `${name}.ts`), code);
  }

  /** Compiles all programs. */
  typeCheck(): Promise<Ended> {
    const options = { cwd: this.#folder, timeoutMs: TYPE_CHECK_MS };
    return run(process.execPath, [TSC, '-p', '.', '--pretty', 'false'], options);
  }

  /** Runs a compiled program with Node and nothing else. */
  start(name: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const options = { cwd: this.#folder, env, timeoutMs: EXAMPLE_MS };
    return run(process.execPath, [join('out', `${name}.js`)], options);
  }

  async #write(path: string, content: string): Promise<void> {
    await writeFile(join(this.#folder, path), content);
  }
}
