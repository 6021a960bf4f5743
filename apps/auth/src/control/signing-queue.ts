import { MAX_BATCH } from '@tagplane/credentials';
import type { SignedStatement, StatementSigner } from '@tagplane/credentials';

/** More wait only until the turn of the loop is over; each costs about half a kilobyte. */
const MAX_WAITING = Math.min(MAX_BATCH, 4_096);

/**
 * Signs together what is to be signed in one turn of the event loop: a signature costs as much as all else
 * of a push, and a changed feed or a fleet that says hello brings many at once.
 */
export class SigningQueue {
  readonly #signer: () => StatementSigner;
  #waiting: { readonly statement: Uint8Array; readonly done: (signed: SignedStatement) => void }[] = [];

  constructor(signer: () => StatementSigner) {
    this.#signer = signer;
  }

  /** @param done called when this turn is over, in the order of the calls */
  add(statement: Uint8Array, done: (signed: SignedStatement) => void): void {
    this.#waiting.push({ statement, done });
    if (this.#waiting.length === MAX_WAITING) this.#flush();
    else if (this.#waiting.length === 1)
      setImmediate(() => {
        this.#flush();
      });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const signer = this.#signer();
    const [only] = waiting;
    if (only === undefined) return;
    const signed =
      waiting.length === 1
        ? [signer.sign(only.statement)]
        : signer.signBatch(waiting.map(({ statement }) => statement));
    for (const [index, { done }] of waiting.entries()) {
      const each = signed[index];
      if (each !== undefined) done(each);
    }
  }
}
