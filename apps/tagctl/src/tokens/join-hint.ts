import { visible } from '../format/escape.ts';
import type { NewTokenView } from '../views/token.ts';

/** What to do with a new token, for a person to paste; the token and the pin are in it. */
export function joinHint(view: NewTokenView, addressText: string): string {
  const parts = {
    token: visible(view.token),
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
  readonly address: string;
  readonly pins: readonly string[];
}

function loginHint({ token, address, pins }: Parts, name: string | undefined): string {
  const named = name === undefined ? '' : ` --name ${name}`;
  return `
The token is not shown again. On the machine of the new operator:

  tagctl login --address ${address} --ca-pin ${pins.join(',')} --token ${token}${named}
`;
}

function configHint(file: string, address: string, { token, pins }: Parts): string {
  return `
The token is not shown again. In ${file}:

auth:
${address}
join:
  token: ${token}
  ca_pins: [${pins.map((pin) => `'${pin}'`).join(', ')}]
`;
}
