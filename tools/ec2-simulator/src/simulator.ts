import { formatAddress, listen } from '@tagplane/runtime';
import { createEc2Service } from './ec2/service.ts';
import { createPageTokens } from './ec2/page-token.ts';
import { Estate } from './estate/estate.ts';
import type { EstateOptions } from './estate/estate.ts';
import type { Fault } from './faults.ts';
import type { ConsistencyOptions } from './fleet/consistency.ts';
import { hexOf, mix } from './fleet/random.ts';
import { Quotas } from './quota/quotas.ts';
import type { Extension } from './extension.ts';
import { FleetControl } from './fleet-control.ts';
import { Fleet } from './fleet/fleet.ts';
import { createHttpServer } from './http.ts';
import type { Service } from './service.ts';
import { EventFeed } from './events/event-feed.ts';
import { createEventRoutes } from './events/extension.ts';
import { createImds } from './imds/extension.ts';
import { ImdsControl } from './imds/imds-control.ts';
import { createOrganizations } from './organizations/extension.ts';
import { createSqs } from './sqs/extension.ts';
import { Queues } from './sqs/queues.ts';
import type { SsmAgentState } from './ssm/command.ts';
import { createSsm } from './ssm/extension.ts';
import { SsmControl } from './ssm/ssm-control.ts';
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
  /** A page of DescribeInstances holds at most so many, as EC2 may do. Default as many as asked for. */
  readonly pageSize?: number;
  /** Whether EC2's token buckets refuse with RequestLimitExceeded; they count in any case. Default no. */
  readonly quotas?: boolean;
  /** How far what EC2 describes is behind what happened. Default not at all. */
  readonly consistency?: ConsistencyOptions;
  /** Of a hundred seeded instances, how many run Windows. Default 0. */
  readonly windowsPercent?: number;
  /** Ends AssumeRole's sessions earlier than asked for, in milliseconds. */
  readonly sessionTtlMs?: number;
  /** Accounts, their organisation and roles. Default one account and none. */
  readonly estate?: EstateOptions;
  /** What instances have of an SSM agent, unless they are told otherwise. Default `online`. */
  readonly ssmAgents?: SsmAgentState;
  /** Faults that are set from the beginning, and again after a reset. */
  readonly script?: readonly Partial<Fault>[];
  /** Unix milliseconds. Default the system's clock. */
  readonly now?: () => number;
}

/** The control API, without HTTP. */
export interface SimulatorHandles {
  readonly fleet: FleetControl;
  /** Credentials that STS knows. */
  readonly sts: StsControl;
  /** Accounts, the organisation and roles. */
  readonly estate: Estate;
  /** Instances' SSM agents, and what they make of commands. */
  readonly ssm: SsmControl;
  /** Instance metadata. */
  readonly imds: ImdsControl;
  /** SQS's queues. */
  readonly queues: Queues;
  /** Makes events of the fleet's changes, once it is started. */
  readonly events: EventFeed;
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
  const { now = Date.now, tokenTtlMs, seed, account, regions, ...rest } = { ...DEFAULTS, ...options };
  const { accounts: accountsByKey, estate: estateOptions = {}, quotas: enforced = false, script = [] } = rest;
  const estate = new Estate({ ...estateOptions, management: account, regions, seed });
  const fleet = new Fleet({
    ...{ seed, account, regions, now },
    ...{ instances: rest.instances, transitionMs: rest.transitionMs, lingerMs: rest.lingerMs },
    ...{ windowsPercent: rest.windowsPercent, consistency: rest.consistency },
    accounts: estate.accounts.map(({ id }) => id),
    usable: (id, region) => estate.optInStatus(id, region) !== 'not-opted-in',
  });
  const quotas = new Quotas(enforced);
  const control = new FleetControl(fleet, quotas);
  const sts = new StsControl(now);
  const tokens = createPageTokens(`seed ${seed}`, tokenTtlMs);
  const ec2 = createEc2Service({ fleet, tokens, estate, pageSize: rest.pageSize });
  // Each endpoint beside EC2 and STS is one line here.
  const queues = new Queues();
  const events = new EventFeed({ fleet, queues, seed, now });
  const ssm = new SsmControl(fleet, seed, rest.ssmAgents);
  const imds = new ImdsControl({ fleet, sts });
  const extensions: readonly Extension[] = [
    createSsm(fleet, ssm),
    createImds(imds),
    createOrganizations(estate),
    createEventRoutes(events),
    createSqs(queues),
  ];
  const setScript = (): void => {
    for (const fault of script) control.addFault(fault);
  };
  control.onReset(() => {
    for (const extension of extensions) extension.reset?.();
    setScript();
  });
  setScript();
  const stsService = createStsService({ sts, estate, sessionTtlMs: rest.sessionTtlMs });
  const services = servicesByName([ec2, stsService, ...extensions.map(({ service }) => service)]);
  const handles: SimulatorHandles = { fleet: control, sts, estate, ssm, imds, queues, events };
  return {
    ...handles,
    listen: async (port = 0, host = '127.0.0.1') => {
      const server = createHttpServer({
        services,
        fallback: ec2,
        control,
        quotas,
        ...handles,
        requestIds: createRequestIds(seed),
        extensions,
        accountOf: (key) => sts.get(key)?.account ?? accountsByKey?.get(key) ?? account,
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
        regions,
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

/** UUIDs that follow from the seed, so that a run can be repeated to the letter. */
function createRequestIds(seed: number): () => string {
  let count = 0;
  return () => {
    count += 1;
    const hex = hexOf(mix(seed, count), 95, 22);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${count.toString(16).padStart(12, '0')}`;
  };
}
