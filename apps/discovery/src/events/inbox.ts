import type { Queue, QueueMessage } from '@tagplane/aws';
import { MINUTE, SECOND, deadline } from '@tagplane/runtime';
import { Latch } from '../latch.ts';

/** A minute and more of asking again, and what the quota adds; a message that takes longer comes twice. */
export const VISIBILITY_MS = 3 * MINUTE;
/** Far below the 120,000 that SQS hides at a time, and enough for a describe each of 100 instances. */
const MAX_MESSAGES = 10_000;
/** What changes keep is less than the messages they came in. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
/** Receipts to delete in one go: ten requests. */
const DELETED_AT_ONCE = 100;
const MAX_RECEIPTS = 100_000;
const GOODBYE_MS = SECOND;

/** A message of which something is still to be taken in. */
export interface Ticket {
  readonly receipt: string;
  readonly characters: number;
  /** Of its changes, those that are not done with. */
  open: number;
}

/** What is on its way through this process from one queue: nothing is deleted before it is taken in. */
export class Inbox {
  readonly queue: Queue;
  /** Opened when there is something to delete. */
  readonly done = new Latch();
  readonly #open = new Set<Ticket>();
  #characters = 0;
  #receipts: string[] = [];

  constructor(queue: Queue) {
    this.queue = queue;
  }

  /** Messages that are not done with. */
  get size(): number {
    return this.#open.size;
  }

  get hasRoom(): boolean {
    return this.#open.size < MAX_MESSAGES && this.#characters < MAX_CHARACTERS;
  }

  get hasDone(): boolean {
    return this.#receipts.length > 0;
  }

  /** A message with this many changes. */
  open({ receipt, body }: QueueMessage, changes: number): Ticket {
    const ticket = { receipt, characters: body.length, open: changes };
    this.#open.add(ticket);
    this.#characters += ticket.characters;
    return ticket;
  }

  /** One of its changes is done with; after the last one the message is deleted. */
  settle(ticket: Ticket): void {
    ticket.open -= 1;
    if (ticket.open > 0 || !this.#open.delete(ticket)) return;
    this.#characters -= ticket.characters;
    this.discard(ticket.receipt);
  }

  /** A message is to be deleted. One that cannot be remembered comes again, and is known then. */
  discard(receipt: string): void {
    if (this.#receipts.length < MAX_RECEIPTS) this.#receipts.push(receipt);
    this.done.open();
  }

  /** Deletes some of what is done with; what fails is not tried again, but comes again. */
  async deleteDone(signal: AbortSignal): Promise<void> {
    const receipts = this.#receipts.splice(0, DELETED_AT_ONCE);
    if (receipts.length > 0) await this.queue.delete(receipts, signal);
  }

  /** At the end: deletes what is done with, and shows the rest to others at once, as far as time allows. */
  async close(): Promise<void> {
    using limit = deadline(new AbortController().signal, GOODBYE_MS);
    const { signal } = limit;
    await Promise.allSettled([
      this.deleteDone(signal),
      this.queue.release(
        [...this.#open].slice(0, DELETED_AT_ONCE).map(({ receipt }) => receipt),
        signal,
      ),
    ]);
  }
}
