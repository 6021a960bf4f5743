/** Generous: the machine may be busy with other tests. */
const TIMEOUT_MS = 20_000;
const POLL_MS = 20;

/** The first defined outcome of `look`, which may also throw until then. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined>,
): Promise<Value> {
  const end = Date.now() + TIMEOUT_MS;
  for (;;) {
    let problem: unknown;
    try {
      const value = await look();
      if (value !== undefined) return value;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`not within ${TIMEOUT_MS} ms: ${what}`, { cause: problem });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
