import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const MAIN = new URL('main.ts', import.meta.url).pathname;
const NODE_ARGUMENTS = ['--conditions=@tagplane/source', MAIN];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'discovery-main-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function configFile(yaml: string): string {
  const file = join(folder, 'discovery.yaml');
  writeFileSync(file, yaml);
  return file;
}

function launch(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, ...args], {
    env: {
      PATH: process.env['PATH'],
      TAGPLANE_TLS_MODE: 'insecure',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, output, exit };
}

async function until<Value>(look: () => Promise<Value | undefined> | Value | undefined): Promise<Value> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited in vain for 30 s');
}

describe('the program', () => {
  it('checks a configuration', async () => {
    const good = configFile('auth: {address: "127.0.0.1:7420"}\naws: [{regions: [eu-central-1]}]\n');
    const { output, exit } = launch(['config', 'check', '--config', good]);
    expect(await exit).toBe(0);
    expect(output.stdout).toMatch(/good/);
  });

  it('refuses a bad one with exit 2 and one line that names the key', async () => {
    const bad = configFile('auth: {address: "127.0.0.1:7420"}\naws: [{regions: [Frankfurt]}]\n');
    const { output, exit } = launch(['config', 'check', '--config', bad]);
    expect(await exit).toBe(2);
    expect(output.stderr).toBe(
      'tagplane-discovery: aws.0.regions.0: expected a region such as eu-central-1\n',
    );
  });

  it('serves diagnostics while EC2 and the auth service are away, and stops on SIGTERM', async () => {
    const refusing = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as AddressInfo;
    const file = configFile(
      `auth: {address: "127.0.0.1:${port}"}\ndiagnostics: "127.0.0.1:0"\naws: [{regions: [eu-central-1]}]\n`,
    );
    const { child, output, exit } = launch(['start', '--config', file], {
      AWS_ENDPOINT_URL_EC2: `http://127.0.0.1:${port}`,
    });
    try {
      const address = await until(() => /"diagnostics":"([^"]+)"/.exec(output.stderr)?.[1]);
      expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
      const ready = await until(async () => {
        const answer = await fetch(`http://${address}/readyz`);
        const body = await answer.text();
        return body.includes('HoldLease') ? { status: answer.status, body } : undefined;
      });
      expect(ready.status).toBe(503);
      const metrics = await (await fetch(`http://${address}/metrics`)).text();
      expect(metrics).toContain('tagplane_discovery_queue_length 0');
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
      for (const line of output.stderr.trim().split('\n')) {
        expect(JSON.parse(line)).toMatchObject({ event: expect.any(String), service: 'discovery' });
      }
    } finally {
      child.kill('SIGKILL');
      refusing.closeAllConnections();
      refusing.close();
    }
  });
});
