/** Who asks, as the credential scope of the signature says. */
export interface Caller {
  readonly account: string;
  readonly accessKeyId: string;
  readonly region: string;
  /** The service's signing name, such as `ec2`. */
  readonly service: string;
}

/** The request as it came. */
export interface HttpExchange {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ServiceRequest {
  readonly caller: Caller;
  /** The form's parameters, from the body or the query string. */
  readonly parameters: URLSearchParams;
  readonly http: HttpExchange;
  readonly requestId: string;
  readonly now: number;
  /** What a fault makes of a describe: what was before, or nothing at all. */
  readonly view?: 'stale' | 'empty' | undefined;
}

/** Made piece by piece, so that a very large answer is never one string. */
export interface ServiceResponse {
  readonly contentType: string;
  readonly body: Iterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One AWS service on the shared port, chosen by the name in the credential scope. */
export interface Service {
  /** The signing name, such as `ec2` or `sqs`. */
  readonly name: string;
  /** The action asked for, also when it is none that the service knows; counted and matched by faults. */
  actionOf(request: Pick<ServiceRequest, 'http' | 'parameters'>): string;
  /** The number of the page that is asked for, from 1, where the service has pages. */
  pageOf?(request: Pick<ServiceRequest, 'parameters'>): number;
  /** Throws `AwsError`. The signal fires when the client goes away or the simulator closes. */
  handle(request: ServiceRequest, signal: AbortSignal): ServiceResponse | Promise<ServiceResponse>;
  errorBody(error: { readonly code: string; readonly message: string }, requestId: string): ServiceResponse;
}
