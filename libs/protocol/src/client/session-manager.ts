import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { Http2SessionManager } from '@connectrpc/connect-node';
import { SECOND } from '@tagplane/runtime';
import { explainConnectError } from './connect-error.ts';

export interface SessionManagerOptions {
  /** For errors. */
  readonly address: string;
  /** What a connection needs before it can be opened. */
  readonly prepare?: () => Promise<void>;
  readonly open: () => Duplex;
}

/**
 * Opens a connection on first use and again after a loss; a half-open one is found by ping (sent after
 * 10 s of silence, 5 s for its answer). What went wrong while opening is explained.
 */
export class ExplainingSessionManager extends Http2SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #heard = new WeakSet<ClientHttp2Session>();

  constructor(baseUrl: string, options: SessionManagerOptions) {
    const pings = { pingIntervalMs: 10 * SECOND, pingTimeoutMs: 5 * SECOND };
    super(baseUrl, pings, { createConnection: options.open });
    this.#options = options;
  }

  override async request(...args: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await this.#open(args);
    const session = stream.session as ClientHttp2Session | undefined;
    // A session that breaks (the other side speaks no HTTP/2, say) may emit `error` a second time, after
    // the manager has stopped listening; unheard, that would end the process.
    if (session !== undefined && !this.#heard.has(session)) {
      this.#heard.add(session);
      session.on('error', () => undefined);
    }
    return stream;
  }

  async #open(args: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    try {
      await this.#options.prepare?.();
      return await super.request(...args);
    } catch (error) {
      throw explainConnectError(error, this.#options.address);
    }
  }
}
