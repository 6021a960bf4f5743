import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMoto } from '@tagplane/ec2/testing';
import type { Moto } from '@tagplane/ec2/testing';
import type { Boto3 } from '../moto/boto3.ts';
import { startBoto3 } from '../moto/boto3.ts';
import type { LoginWorld } from './login-world.ts';
import { LOGIN, STEP_MS, createLoginWorld } from './login-world.ts';

const REGION = 'eu-central-1';
/** moto's own account. */
const ACCOUNT = '123456789012';

let moto: Moto;
let boto3: Boto3;
let here: LoginWorld;

beforeAll(async () => {
  moto = await startMoto();
  boto3 = await startBoto3(moto.url);
  const count = { ImageId: 'ami-12345678', MinCount: 1, MaxCount: 1 };
  const [answer] = await boto3.call([{ region: REGION, method: 'run_instances', arguments: count }]);
  const [instance] = (answer as { readonly Instances: readonly { readonly InstanceId: string }[] }).Instances;
  if (instance === undefined) throw new TypeError('moto made no instance');
  const place = { account: ACCOUNT, region: REGION, instance: instance.InstanceId };
  here = await createLoginWorld({ ec2Url: moto.url, place });
}, 2 * STEP_MS);

afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await moto.stop();
}, STEP_MS);

async function tag(value: string): Promise<void> {
  const { region, instance } = here.agent.place;
  const change = { Resources: [instance], Tags: [{ Key: 'access', Value: value }] };
  await boto3.call([{ region, method: 'create_tags', arguments: change }]);
}

describe('a login to an instance of moto', () => {
  it(
    'follows the tag that boto3 sets, with nothing restarted',
    async () => {
      expect(await here.ssh('install', '--reload')).toMatchObject({ code: 0 });
      await here.putRole('dev', { allow: [{ logins: [LOGIN], label: ['aws/access', 'open'] }] });
      const alice = await here.certify({ principals: ['dev'] });
      const running = [here.sshd.pid, here.agent.service.pid];
      await tag('closed');
      await here.holdsTag('access', 'closed');
      await here.decides('refused', ['dev']);
      await here.logsIn('refused', alice);
      await tag('open');
      await here.logsIn('allowed', alice);
      await tag('closed');
      await here.logsIn('refused', alice);
      expect([here.sshd.pid, here.agent.service.pid]).toEqual(running);
    },
    4 * STEP_MS,
  );
});
