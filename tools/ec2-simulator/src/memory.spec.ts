import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe as suite, expect, it } from '@jest/globals';
import { clientOf, describe } from './testing/client.ts';

const COMMAND = new URL('../bin/tagplane-ec2-simulator.js', import.meta.url).pathname;
const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-2'];
const GIB = 1024 ** 3;

suite('an estate of 40 accounts × 5 regions with 100,000 instances', () => {
  it('stays within 1 GiB, as its process and the kernel say', async () => {
    const args = `--listen 127.0.0.1:0 --instances 100000 --accounts 40 --regions ${REGIONS.join()}`.split(
      ' ',
    );
    const child = spawn(process.execPath, ['--conditions=@tagplane/source', COMMAND, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      for await (const line of createInterface({ input: child.stdout })) {
        said += line;
        if (line.includes('instances of')) break;
      }
      expect(said).toContain('100000 instances of 40 accounts');
      const [url = ''] = /http:\/\/\S+/.exec(said) ?? [];
      for (const region of REGIONS) {
        const client = clientOf(url, region);
        expect((await describe(client, { MaxResults: 1000 })).instances).toHaveLength(500);
        client.destroy();
      }
      const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8');
      const peak = Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
      process.stdout.write(
        `${JSON.stringify({ instances: 100_000, peakRssMiB: Math.round(peak / 2 ** 20) })}\n`,
      );
      expect(peak).toBeLessThan(GIB);
    } finally {
      child.kill();
    }
  }, 120_000);
});
