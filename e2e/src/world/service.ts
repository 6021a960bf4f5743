import { startService, waitUntilReady } from '@tagplane/harness';
import type { ManagedProcess, ProgramName, Settings } from '@tagplane/harness';

/** One of the services as a process that can be killed and started again with the same settings. */
export class Service implements AsyncDisposable {
  readonly name: string;
  readonly #program: ProgramName;
  readonly #settings: Settings;
  readonly #diagnosticsPort: number;
  readonly #env: Readonly<Record<string, string>>;
  #process: ManagedProcess | undefined;

  constructor(options: {
    readonly program: ProgramName;
    readonly name: string;
    readonly settings: Settings;
    readonly diagnosticsPort: number;
    readonly env?: Readonly<Record<string, string>>;
  }) {
    this.name = options.name;
    this.#program = options.program;
    this.#diagnosticsPort = options.diagnosticsPort;
    this.#settings = { ...options.settings, DIAGNOSTICS: `127.0.0.1:${options.diagnosticsPort}` };
    this.#env = options.env ?? {};
  }

  get diagnosticsPort(): number {
    return this.#diagnosticsPort;
  }

  get output(): readonly string[] {
    return this.#process?.output ?? [];
  }

  /** Of the process that runs, or ran last. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  running(): boolean {
    return this.#process?.running() ?? false;
  }

  /**
   * @param once settings of this start alone: what it needs the first time it is started
   * @param env environment of this start alone
   */
  async start(once: Settings = {}, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = { ...this.#settings, ...once };
    this.#process = await startService(this.#program, this.name, settings, { ...this.#env, ...env });
  }

  async ready(timeoutMs?: number): Promise<void> {
    if (this.#process === undefined) throw new Error(`${this.name} was not started`);
    await waitUntilReady(this.#process, this.#diagnosticsPort, timeoutMs);
  }

  async metrics(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#diagnosticsPort}/metrics`)).text();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<number | null> {
    return (await this.#process?.stop()) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
