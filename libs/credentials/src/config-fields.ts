import { parsePin } from '@tagplane/identity';
import * as z from 'zod';

const PIN = 'expected sha256: and 64 hexadecimal digits, as `tagctl ca status` shows them';
export const MAX_PINS = 8;

/** `sha256:…`, several separated by commas, or a list of them. */
export const caPinsField = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
  z
    .array(
      z.string(PIN).transform((text, context) => {
        const pin = parsePin(text);
        if (pin !== undefined) return pin;
        context.addIssue({ code: 'custom', message: PIN });
        return z.NEVER;
      }),
    )
    .min(1, 'expected at least one pin')
    .max(MAX_PINS, `expected at most ${MAX_PINS} pins`),
);

/** How a client's connections are secured. */
export const tlsField = z
  .strictObject({
    mode: z
      .enum(['mutual', 'insecure'])
      .default('mutual')
      .describe('mutual, or insecure: without TLS, to loopback addresses only.'),
  })
  .prefault({});

/** The keys by which a process joins with a token. */
export const tokenJoinFields = {
  token: z
    .string('expected text')
    .min(1)
    .max(256)
    .optional()
    .describe('Join token (tagctl tokens add). A file is safer: see token_file.'),
  token_file: z.string('expected a path').min(1).optional().describe('File that holds the join token.'),
  ca_pins: caPinsField
    .optional()
    .describe(
      'Pins of the authority (sha256:…) by which the auth service is known; comma-separated or a list.',
    ),
  ca_pin: caPinsField.optional().describe('The same as ca_pins.'),
  ca_pin_file: z
    .string('expected a path')
    .min(1)
    .optional()
    .describe(
      'File with such pins, one a line (tagplane-auth bootstrap --ca-pin-out); read at each attempt.',
    ),
};

/** What these keys were set to. */
export interface TokenJoinConfig {
  readonly token?: string | undefined;
  readonly token_file?: string | undefined;
  readonly ca_pins?: readonly string[] | undefined;
  readonly ca_pin?: readonly string[] | undefined;
  readonly ca_pin_file?: string | undefined;
}

/** Where a join token is found. */
export type TokenSource = { readonly token: string } | { readonly tokenFile: string };

/** Where the pins of the authority are found. */
export interface PinSource {
  readonly pins: readonly string[];
  readonly pinFile?: string | undefined;
}

/** What is wrong with these keys together, by key; undefined: nothing. */
export function tokenJoinProblem(
  join: TokenJoinConfig,
): { readonly key: keyof TokenJoinConfig; readonly message: string } | undefined {
  if (join.token !== undefined && join.token_file !== undefined) {
    return { key: 'token_file', message: 'there is a token already: give one of the two' };
  }
  if (join.token === undefined && join.token_file === undefined) {
    return { key: 'token', message: 'expected a token or a token_file (tagctl tokens add makes one)' };
  }
  return pinsProblem(join);
}

export function pinsProblem(
  join: TokenJoinConfig,
): { readonly key: keyof TokenJoinConfig; readonly message: string } | undefined {
  if (pinsOf(join).length > 0 || join.ca_pin_file !== undefined) return undefined;
  return {
    key: 'ca_pins',
    message: 'expected the pin of the authority (tagctl ca status, tagctl tokens add)',
  };
}

function pinsOf({ ca_pins = [], ca_pin = [] }: TokenJoinConfig): readonly string[] {
  return [...new Set([...ca_pins, ...ca_pin])];
}

export function pinSourceOf(join: TokenJoinConfig): PinSource {
  const { ca_pin_file: pinFile } = join;
  return { pins: pinsOf(join), ...(pinFile === undefined ? {} : { pinFile }) };
}

/** Undefined when there is none. */
export function tokenSourceOf({ token, token_file }: TokenJoinConfig): TokenSource | undefined {
  if (token !== undefined) return { token };
  return token_file === undefined ? undefined : { tokenFile: token_file };
}
