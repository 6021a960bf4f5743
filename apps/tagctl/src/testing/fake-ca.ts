import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { CaPhase, CaService, CaStep, GetCaStatusResponseSchema } from '@tagplane/protocol';
import type { GetCaStatusResponse, RotateCaRequest } from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** Where each step leads, by where it is made. */
const NEXT: Readonly<Record<number, Readonly<Record<number, CaPhase>>>> = {
  [CaStep.TRUST]: { [CaPhase.STABLE]: CaPhase.TRUSTING },
  [CaStep.SIGN]: { [CaPhase.TRUSTING]: CaPhase.SIGNING },
  [CaStep.DROP]: { [CaPhase.SIGNING]: CaPhase.STABLE },
  [CaStep.CANCEL]: { [CaPhase.TRUSTING]: CaPhase.STABLE, [CaPhase.SIGNING]: CaPhase.TRUSTING },
};

/** The authorities of a FakeAuth: steps are taken in their order. */
export class FakeCa {
  phase: CaPhase = CaPhase.STABLE;
  /** What each next question is told to be in the way; when it is empty, nothing is. */
  blocked: string[] = [];
  /** Fails each next question, or each next step, with this. */
  failures: ConnectError[] = [];
  /** Of the old authority, Unix milliseconds. */
  oldCertificatesUntil: number | undefined;
  waitingFor = ['spiffe://test/agent/web-1'];
  readonly steps: Pick<RotateCaRequest, 'step' | 'force'>[] = [];

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(CaService, {
      getCaStatus: (_request, context) => {
        note(context);
        this.#fail();
        return this.status(this.blocked.shift() ?? '');
      },
      rotateCa: ({ step, force }, context) => {
        note(context);
        this.#fail();
        this.steps.push({ step, force });
        const next = NEXT[step]?.[this.phase];
        if (next === undefined) throw new ConnectError('this is not the next step', Code.FailedPrecondition);
        this.phase = next;
        return { status: this.status('') };
      },
    });
  }

  status(blocked: string): GetCaStatusResponse {
    const { phase, oldCertificatesUntil: until } = this;
    const authority = (digit: string, signing: boolean) => ({
      pin: `sha256:${digit.repeat(64)}`,
      signing,
      expiresAt: timestampFromMs(NOW + 10 * 86_400_000),
    });
    const waits = blocked !== '';
    return create(GetCaStatusResponseSchema, {
      cluster: 'test',
      phase,
      generation: 7n,
      authorities:
        phase === CaPhase.STABLE ? [authority('a', true)] : [authority('a', true), authority('b', false)],
      followers: [
        {
          authId: 'auth-1',
          following: true,
          peers: 25,
          trusting: waits ? 24 : 25,
          renewed: 3,
          waitingFor: waits ? this.waitingFor : [],
        },
      ],
      phaseSince: timestampFromMs(NOW - 60_000),
      ...(phase === CaPhase.SIGNING && until !== undefined
        ? { oldCertificatesUntil: timestampFromMs(until) }
        : {}),
      blocked,
    });
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}
