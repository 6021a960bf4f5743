import { formatAddress, listen } from '@tagplane/runtime';
import { createEc2Service } from './ec2/service.ts';
import { createPageTokens } from './ec2/page-token.ts';
import type { Extension } from './extension.ts';
import { FleetControl } from './fleet-control.ts';
import { Fleet } from './fleet/fleet.ts';
import { createHttpServer } from './http.ts';
import type { Service } from './service.ts';
import { createOrganizations } from './organizations/extension.ts';
import { createStsService } from './sts/service.ts';
import { StsControl } from './sts/sts-control.ts';

export interface Ec2SimulatorOptions {
  /** Seeded instances, shared evenly among the regions. Default 200. */
  readonly instances?: number;
  /** Default `eu-central-1` and `us-east-1`. */
  readonly regions?: readonly string[];
  /** The same seed gives the same fleet. Default 1. */
  readonly seed?: number;
  /** The account of the seeded instances and of every access key that is not in `accounts`. */
  readonly account?: string;
  /** Accounts by access key id. */
  readonly accounts?: ReadonlyMap<string, string>;
  /** How long pending, stopping and shutting-down last, in milliseconds. Default 2,000. */
  readonly transitionMs?: number;
  /** How long a terminated instance is still described, in milliseconds. Default one hour. */
  readonly lingerMs?: number;
  /** How long a NextToken is good for, in milliseconds. Default one hour. */
  readonly tokenTtlMs?: number;
  /** Unix milliseconds. Default the system's clock. */
  readonly now?: () => number;
}

/** The control API, without HTTP. */
export interface SimulatorHandles {
  readonly fleet: FleetControl;
  /** Credentials that STS knows. */
  readonly sts: StsControl;
}

export interface Ec2Simulator extends SimulatorHandles {
  /** @param port 0 (default) for a free one; @param host default 127.0.0.1 */
  listen(port?: number, host?: string): Promise<RunningSimulator>;
}

export interface RunningSimulator extends SimulatorHandles {
  /** For AWS_ENDPOINT_URL; the control API is under `/_control/`. */
  readonly url: string;
  readonly regions: readonly string[];
  /** Also ends what is still being answered. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const DEFAULTS = {
  instances: 200,
  regions: ['eu-central-1', 'us-east-1'],
  seed: 1,
  account: '123456789012',
  transitionMs: 2_000,
  // EC2 User Guide: a terminated instance "remains visible … for a short while", usually about an hour.
  lingerMs: 60 * 60 * 1000,
  tokenTtlMs: 60 * 60 * 1000,
} as const;

/** A simulated EC2 with its seeded fleet; it listens when told to. */
export function createEc2Simulator(options: Ec2SimulatorOptions = {}): Ec2Simulator {
  const { accounts, now = Date.now, tokenTtlMs, ...fleetOptions } = { ...DEFAULTS, ...options };
  const fleet = new Fleet({ ...fleetOptions, now });
  const control = new FleetControl(fleet);
  const tokens = createPageTokens(`seed ${fleetOptions.seed}`, tokenTtlMs);
  const ec2 = createEc2Service({ fleet, tokens });
  const sts = new StsControl(now);

  // Each endpoint beside EC2 and STS is one line here.
  const extensions: readonly Extension[] = [createOrganizations()];
  control.onReset(() => {
    for (const extension of extensions) extension.reset?.();
  });
  const services = servicesByName([ec2, createStsService(sts), ...extensions.map(({ service }) => service)]);
  const handles: SimulatorHandles = { fleet: control, sts };
  return {
    ...handles,
    listen: async (port = 0, host = '127.0.0.1') => {
      const server = createHttpServer({
        services,
        fallback: ec2,
        control,
        sts,
        extensions,
        accountOf: (key) => sts.get(key)?.account ?? accounts?.get(key) ?? fleetOptions.account,
        now,
      });
      const address = await listen(server, { host, port });
      const close = async (): Promise<void> => {
        const closed = new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        });
        for (const extension of extensions) extension.close?.();
        server.closeAllConnections();
        await closed;
      };
      return {
        url: `http://${formatAddress(address)}`,
        regions: fleetOptions.regions,
        ...handles,
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
}

function servicesByName(services: readonly (Service | undefined)[]): ReadonlyMap<string, Service> {
  return new Map(services.flatMap((service) => (service === undefined ? [] : [[service.name, service]])));
}
