import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { tryNext } from './try-next.ts';

const OPTIONS = { instances: 1, regions: ['eu-central-1'] };
const place = (instance: string) =>
  [{ serverId: 'demo-1', account: '123456789012', region: 'eu-central-1', instance }] as const;
const SOCKET = '/tmp/tagplane-demo-x/agent.sock';
const AT = { authPort: 7420, socket: SOCKET };
const CLUSTER = { credentialFile: '/tmp/tagplane-demo-x/demo.json' };

describe('tryNext', () => {
  it('gives the address only when it is not the one that tagctl takes by itself', async () => {
    await using ec2 = await createEc2Simulator(OPTIONS).listen();
    const shown = { ec2, places: place('i-1'), cluster: CLUSTER, socket: SOCKET };
    expect(tryNext({ ...shown, authPort: 7420 })).not.toContain('ADDRESS');
    expect(tryNext({ ...shown, authPort: 7999 })).toContain('  export TAGPLANE_ADDRESS=127.0.0.1:7999\n');
  });

  it.each(['/tmp/tagplane-demo-x/demo.json', "/tmp/it's mine $HOME/demo.json"])(
    'has a line by which a shell gives tagctl the credentials in %s',
    async (credentialFile) => {
      await using ec2 = await createEc2Simulator(OPTIONS).listen();
      const text = tryNext({ ec2, places: place('i-1'), cluster: { credentialFile }, ...AT });
      const line = text.split('\n').find((one) => one.includes('export TAGPLANE_IDENTITY=')) ?? '';
      const said = execFileSync('sh', ['-c', `${line}\nprintf %s "$TAGPLANE_IDENTITY"`], {
        encoding: 'utf8',
      });
      expect(said).toBe(credentialFile);
    },
  );

  it('has a request that changes a tag of that instance in the simulator', async () => {
    await using ec2 = await createEc2Simulator(OPTIONS).listen();
    const [instance] = ec2.fleet.list({ region: 'eu-central-1', limit: 1 });
    const text = tryNext({ ec2, places: place(instance?.id ?? ''), cluster: CLUSTER, ...AT });
    const [, body = '', url = ''] = /curl -d '(.+)' (\S+)/.exec(text) ?? [];
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    const [changed] = ec2.fleet.list({ region: 'eu-central-1', limit: 1 });
    expect(changed?.tags.get('Name')).toBe('mine');
  });
});
