import { describe, expect, it } from '@jest/globals';
import { tableLines } from '../format/table.ts';
import { serverInfoTable } from './server-info-table.ts';
import type { ServerInfoView } from './server-info.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
/** The longest region there is. */
const INSTANCE = {
  account_id: '123456789012',
  region: 'ap-southeast-1',
  instance_id: 'i-0123456789abcdef0',
};
const NAME = `aws-${INSTANCE.account_id}-${INSTANCE.region}-${INSTANCE.instance_id}`;
const INFO: ServerInfoView = {
  name: NAME,
  match: { aws_instance: INSTANCE },
  labels: new Map([
    ['aws/Name', 'web-1'],
    ['aws/env', 'production'],
  ]),
  observed_at: '2026-11-22T11:59:00.000Z',
  expires_at: '2026-11-22T13:22:00.000Z',
  revision: 1_795_378_639_063_004,
  origin: 'discovery/production',
};

function linesAt(width: number): string[] {
  const { columns, row } = serverInfoTable;
  return tableLines(columns, [row(INFO, NOW)], { width, colour: false });
}

describe('the table of ServerInfos', () => {
  it('keeps discovered names whole on 80 columns, beside their expiry and labels', () => {
    const [titles, line] = linesAt(80);
    expect(titles?.split(/ +/)).toEqual(['NAME', 'EXPIRES', 'LABELS']);
    expect(line).toMatch(new RegExp(`^${NAME}  in 1h22m  aws/Name=web-1.*…$`));
    expect(line).toHaveLength(80);
  });

  it('has room on 160 for whom it is for and who wrote it', () => {
    const [titles, line] = linesAt(160);
    expect(titles?.split(/ +/)).toEqual(['NAME', 'MATCH', 'EXPIRES', 'OBSERVED', 'ORIGIN', 'LABELS']);
    expect(line).toContain(
      `${NAME}  ${INSTANCE.instance_id}  in 1h22m  1m ago    discovery/production  aws/`,
    );
  });
});
