import type { Fleet } from './fleet/fleet.ts';
import type { FleetControl } from './fleet-control.ts';
import type { HttpExchange, Service, ServiceResponse } from './service.ts';
import type { StsControl } from './sts/sts-control.ts';

/** What an extension may build on. */
export interface SimulatorParts {
  readonly fleet: Fleet;
  readonly control: FleetControl;
  readonly sts: StsControl;
  readonly seed: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface ControlRouteRequest {
  /** The path's parts after `/_control/`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Answers with a value for JSON. Throws AwsError. */
export type ControlRoute = (request: ControlRouteRequest) => unknown;

/** What is answered as it is, outside of AWS's signed APIs. */
export interface PlainResponse extends ServiceResponse {
  readonly status: number;
}

/** An endpoint on the shared port, beside EC2: everything that it adds. */
export interface Extension {
  readonly service?: Service;
  /** Control routes by method and path, such as `GET sqs queues *`; `*` is one part of the path. */
  readonly routes?: ReadonlyMap<string, ControlRoute>;
  /** Unsigned requests by the beginning of their path, such as `/latest/`. */
  readonly paths?: ReadonlyMap<string, (http: HttpExchange) => PlainResponse>;
  /** Back to how it was made: the control API's `POST reset`. */
  reset?(): void;
  /** Ends timers and waiting requests. */
  close?(): void;
}
