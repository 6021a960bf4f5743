import type { EnrollSettings } from '../config.ts';
import { enrollField } from '../config.ts';

export const PIN = `sha256:${'5'.repeat(64)}`;

/** As it stands in discovery.yaml. */
export const ENROLL = {
  agent: {
    installer_url: 'https://downloads.test/install.sh',
    installer_sha256: 'a'.repeat(64),
    url: 'https://downloads.test/tagplane-agent-1.2.3-linux-{arch}.tar.gz',
    sha256: { x64: 'b'.repeat(64), arm64: 'c'.repeat(64) },
  },
  auth_addresses: ['auth.test:7420', '[2001:db8::1]:7420'],
  ca_pins: [PIN],
} as const;

export function enrollSettings(more: Record<string, unknown> = {}): EnrollSettings {
  return enrollField.parse({ ...ENROLL, ...more });
}
