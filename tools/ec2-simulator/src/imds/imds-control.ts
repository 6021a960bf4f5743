import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { formatAddress, listen } from '@tagplane/runtime';
import { AwsError } from '../aws-error.ts';
import type { SimInstance } from '../fleet/instance.ts';
import type { SsmInstanceRef } from '../ssm/ssm-control.ts';
import { DEFAULT_SETTINGS, metadataAt } from './metadata.ts';
import type { DocumentSigner, ImdsSettings, MetadataParts } from './metadata.ts';
import { ImdsTokens } from './tokens.ts';

/** Instance metadata of one instance, on a port of its own. */
export interface ImdsEndpoint extends AsyncDisposable {
  /** For AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  readonly url: string;
}

const TOKEN_PATH = '/latest/api/token';
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

/** Instance metadata (IMDSv2 only), set up for each instance. */
export class ImdsControl {
  readonly #parts: MetadataParts;
  readonly #settings = new Map<string, ImdsSettings>();
  readonly #servers = new Set<Server>();
  #signer: DocumentSigner | undefined;

  constructor(parts: Omit<MetadataParts, 'signer'>) {
    this.#parts = { ...parts, signer: () => this.#signer };
  }

  /** Without one, identity documents have no signatures. */
  signWith(signer: DocumentSigner | undefined): void {
    this.#signer = signer;
  }

  /** What is left out stays as it is. Throws AwsError for an instance that is not there. */
  set(ref: SsmInstanceRef, settings: Partial<ImdsSettings>): void {
    const key = keyOf(this.#find(ref));
    this.#settings.set(key, { ...(this.#settings.get(key) ?? DEFAULT_SETTINGS), ...settings });
  }

  /**
   * Opens an instance's metadata to clients of this machine.
   *
   * @param hops how far away they seem to be: 1 is the instance itself, 2 a container on it
   */
  async listen(ref: SsmInstanceRef, hops = 1): Promise<ImdsEndpoint> {
    const instance = this.#find(ref);
    const tokens = new ImdsTokens();
    const server = createServer((request, response) => {
      this.#answer(request, response, { instance, tokens, hops });
    });
    const address = await listen(server, { host: '127.0.0.1', port: 0 });
    this.#servers.add(server);
    return {
      url: `http://${formatAddress(address)}`,
      [Symbol.asyncDispose]: () => this.#end(server),
    };
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    this.#servers.clear();
  }

  reset(): void {
    this.#settings.clear();
  }

  #find({ account = this.#parts.fleet.options.account, region, id }: SsmInstanceRef): SimInstance {
    const { fleet } = this.#parts;
    const instance = fleet.hasRegion(region) ? fleet.get(account, region, id) : undefined;
    if (instance !== undefined) return instance;
    throw new AwsError('InvalidInstanceID.NotFound', `there is no instance ${id} in ${region}`, 404);
  }

  async #end(server: Server): Promise<void> {
    this.#servers.delete(server);
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  }

  #answer(
    { method, url = '/', headers }: IncomingMessage,
    response: ServerResponse,
    { instance, tokens, hops }: { instance: SimInstance; tokens: ImdsTokens; hops: number },
  ): void {
    const settings = this.#settings.get(keyOf(instance)) ?? DEFAULT_SETTINGS;
    const now = this.#parts.fleet.options.now();
    const end = (status: number, body = ''): void => {
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    };
    if (settings.mode === 'off') {
      end(403);
      return;
    }
    if (url === TOKEN_PATH) {
      if (method !== 'PUT') end(405);
      // The packets' time to live is used up: to the client nobody is there.
      else if (hops <= settings.hopLimit) {
        const token = tokens.issue(textOf(headers[TTL_HEADER]), now);
        end(token === undefined ? 400 : 200, token);
      }
      return;
    }
    if (!tokens.isGood(textOf(headers[TOKEN_HEADER]), now)) {
      end(401);
      return;
    }
    const text = metadataAt(url.replace(/\/+$/, ''), instance, settings, this.#parts);
    end(text === undefined ? 404 : 200, text);
  }
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function keyOf({ account, region, id }: SimInstance): string {
  return `${account}/${region}/${id}`;
}
