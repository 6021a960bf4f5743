import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import { SECOND, sleep } from '@tagplane/runtime';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../gen/grpc/health/v1/health_pb.ts';

export interface HealthOptions {
  /** Whether the process can do its work; answers from memory. */
  readonly ready: () => boolean;
  /** The services that can be asked after by name; the empty name stands for the process. */
  readonly services: readonly { readonly typeName: string }[];
  /** Ends the watches. */
  readonly closing: AbortSignal;
  /** How often a watch looks, in milliseconds. Default 1 s. */
  readonly intervalMs?: number;
}

/** Serves grpc.health.v1: `Check`, and `Watch`, which answers at once and on every change. */
export function healthRoutes(router: ConnectRouter, options: HealthOptions): void {
  const names = new Set(['', Health.typeName, ...options.services.map(({ typeName }) => typeName)]);
  const status = (service: string): Status => {
    if (!names.has(service)) return Status.SERVICE_UNKNOWN;
    return options.ready() && !options.closing.aborted ? Status.SERVING : Status.NOT_SERVING;
  };
  router.service(Health, {
    check({ service }) {
      const found = status(service);
      if (found === Status.SERVICE_UNKNOWN) throw new ConnectError('no such service here', Code.NotFound);
      return { status: found };
    },
    async *watch({ service }, context) {
      const stop = AbortSignal.any([context.signal, options.closing]);
      let sent: Status | undefined;
      for (;;) {
        const ending = stop.aborted;
        const found = status(service);
        if (found !== sent) yield { status: found };
        sent = found;
        if (ending) return;
        await sleep(options.intervalMs ?? SECOND, stop).catch(() => undefined);
      }
    },
  });
}
