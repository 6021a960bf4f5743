import { describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { tryNext } from './try-next.ts';

describe('tryNext', () => {
  it('gives the address only when it is not the one that tagctl takes by itself', async () => {
    await using ec2 = await createEc2Simulator({ instances: 1, regions: ['eu-central-1'] }).listen();
    const places = [{ serverId: 'demo-1', region: 'eu-central-1', instance: 'i-1' }] as const;
    expect(tryNext({ ec2, places, authPort: 7420 })).not.toContain('--address');
    expect(tryNext({ ec2, places, authPort: 7999 })).toContain('nodes ls --address 127.0.0.1:7999\n');
  });

  it('has a request that changes a tag of that instance in the simulator', async () => {
    await using ec2 = await createEc2Simulator({ instances: 1, regions: ['eu-central-1'] }).listen();
    const [instance] = ec2.fleet.list({ region: 'eu-central-1', limit: 1 });
    const places = [{ serverId: 'demo-1', region: 'eu-central-1', instance: instance?.id ?? '' }] as const;
    const text = tryNext({ ec2, places, authPort: 7420 });
    const [, body = '', url = ''] = /curl -d '(.+)' (\S+)/.exec(text) ?? [];
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    const [changed] = ec2.fleet.list({ region: 'eu-central-1', limit: 1 });
    expect(changed?.tags.get('Name')).toBe('mine');
  });
});
