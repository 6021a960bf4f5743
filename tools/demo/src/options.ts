import { parseArgs } from 'node:util';

export const USAGE = `tagplane-demo (npm start): the whole of Tagplane on this machine

  --once               end when the tag change has arrived, instead of running on
  --format text|json   json: the last line on standard output is one JSON object
                       {instances, server_infos, agents, labelled, first_label_ms, change_to_ack_ms,
                       login_before, login_after}
  --help

Exit code 0 when everything worked, 1 and why when it did not, 2 for a bad command line.
`;

export interface DemoOptions {
  readonly once: boolean;
  readonly format: 'text' | 'json';
}

/** @returns undefined when the help is asked for; throws on a bad command line */
export function readOptions(args: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      format: { type: 'string', default: 'text' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  if (values.format !== 'text' && values.format !== 'json') {
    throw new Error(`--format: expected text or json, not '${values.format}'`);
  }
  return { once: values.once, format: values.format };
}
