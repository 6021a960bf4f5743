import { visible } from '../format/escape.ts';
import type { NewTokenView } from '../views/token.ts';

/** What to do with a new token, for a person to paste; the token, or its file, and the pin are in it. */
export function joinHint(view: NewTokenView, addressText: string): string {
  const file = view.token_file;
  const parts = {
    token: visible(view.token ?? ''),
    file: file === undefined ? undefined : visible(file),
    address: visible(addressText),
    pins: view.ca_pins.map(visible),
  };
  switch (view.role) {
    case 'operator':
      return loginHint(parts, view.name === null ? 'NAME' : undefined);
    case 'discovery':
      return configHint('discovery.yaml', `  address: ${parts.address}`, parts);
    default:
      return configHint('agent.yaml', `  addresses: ['${parts.address}']`, parts);
  }
}

interface Parts {
  readonly token: string;
  /** Undefined: the token is shown. */
  readonly file: string | undefined;
  readonly address: string;
  readonly pins: readonly string[];
}

function loginHint({ token, file, address, pins }: Parts, name: string | undefined): string {
  const named = name === undefined ? '' : ` --name ${name}`;
  const secret = file === undefined ? `--token ${token}` : `--token-file ${file}`;
  return `
${whereItIs(file)} On the machine of the new operator:

  tagctl login --address ${address} --ca-pin ${pins.join(',')} ${secret}${named}
`;
}

function configHint(config: string, address: string, { token, file, pins }: Parts): string {
  return `
${whereItIs(file)} In ${config}:

auth:
${address}
join:
  ${file === undefined ? `token: ${token}` : `token_file: '${file.replaceAll("'", "''")}'`}
  ca_pins: [${pins.map((pin) => `'${pin}'`).join(', ')}]
`;
}

function whereItIs(file: string | undefined): string {
  return file === undefined ? 'The token is not shown again.' : `The token is in ${file}, and nowhere else.`;
}
