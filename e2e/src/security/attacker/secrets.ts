/** Shorter ones would be found by chance. */
const SHORTEST = 12;

/** Everything that a run used and that nobody may ever read in a log, an error or an audit event. */
export class Secrets {
  readonly #texts = new Map<string, string>();

  /** @param name for the report of a leak, which must not leak it further */
  add(name: string, secret: string): string {
    if (secret.length < SHORTEST) throw new RangeError(`the secret ${name} is too short to be looked for`);
    this.#texts.set(secret, name);
    return secret;
  }

  /** A private key: each full line of its base64, so that a quoted or cut key is found too. */
  addPem(name: string, pem: string): void {
    for (const line of pem.split('\n')) {
      if (!line.startsWith('-----') && line.length >= 40) this.add(name, line);
    }
  }

  get size(): number {
    return this.#texts.size;
  }

  /** Names of the secrets that stand in this text, as they are or as JSON, base64 or hex would write them. */
  foundIn(text: string): string[] {
    const found = new Set<string>();
    for (const [secret, name] of this.#texts) {
      if (forms(secret).some((form) => text.includes(form))) found.add(name);
    }
    return [...found];
  }
}

function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('hex'),
    ...[0, 1, 2].map((offset) => insideBase64(bytes, offset)),
  ];
}

/** What stands in the base64 of any text that holds these bytes at this offset (modulo 3). */
function insideBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  // The first and the last group depend on what is before and behind.
  return text.slice(4, -4);
}
