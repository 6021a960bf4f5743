import type { RequestPacer } from './quota/request-pacer.ts';
import { isThrottle } from './scan-error.ts';

/** Time that passes while a request waits for its turn is not EC2's. */
export interface Clock {
  start(): void;
  stop(): void;
}

/** The part of a command of the SDK that is needed: it types its middleware by what each command carries. */
interface PacedCommand {
  readonly middlewareStack: {
    addRelativeTo(middleware: Middleware, options: typeof BEFORE_SIGNING): void;
  };
}

type Middleware = <Args, Answer>(next: (args: Args) => Promise<Answer>) => (args: Args) => Promise<Answer>;

/** Inside the SDK's retries, so that each attempt waits, and outside its signing, so that none goes stale. */
const BEFORE_SIGNING = {
  name: 'tagplaneQuota',
  relation: 'before',
  toMiddleware: 'httpSigningMiddleware',
} as const;

/** Has every attempt of a command wait for its turn; `clock` stands still meanwhile. */
export function pace(
  command: PacedCommand,
  options: { readonly pacer: RequestPacer | undefined; readonly signal: AbortSignal; readonly clock: Clock },
): void {
  const { pacer, signal, clock } = options;
  if (pacer === undefined) return;
  command.middlewareStack.addRelativeTo(
    (next) => async (args) => {
      clock.stop();
      const turn = await pacer.acquire(signal);
      clock.start();
      try {
        const answered = await next(args);
        turn.succeeded();
        return answered;
      } catch (error) {
        if (isThrottle(error)) turn.throttled();
        else turn.succeeded();
        throw error;
      }
    },
    BEFORE_SIGNING,
  );
}
