import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { runTagctl, tagctlEnv } from '@tagplane/harness';
import { fencedBlocks, readDocument, tableUnder } from '../docs/markdown.ts';
import { mustRun } from '../pack/run.ts';
import { shiftedClock } from '../security/attacker/shifted-clock.ts';
import { ANYWHERE } from './anywhere.ts';
import type { LoginWorld, Outcome } from './login-world.ts';
import { LOGIN, STEP_MS, createLoginWorld } from './login-world.ts';
import type { Identity } from './user-ca.ts';
import { createUserCa, makeKey } from './user-ca.ts';

const REGION = 'eu-central-1';
const HOUR_MS = 60 * 60 * 1_000;
/** A real user of every Debian, whom no role here lets in. */
const ANOTHER = 'nobody';

let ec2: RunningSimulator;
let here: LoginWorld;
let alice: Identity;
/** What was shown, by the words of the guide. */
const shown = new Map<string, Outcome>();

beforeAll(async () => {
  ec2 = await createEc2Simulator({ instances: 3, regions: [REGION] }).listen();
  const [instance] = ec2.fleet.list({ region: REGION, limit: 1 });
  if (instance === undefined) throw new TypeError('there is no instance');
  const { account, id } = instance;
  ec2.fleet.changeTags({ region: REGION, id }, { set: new Map([['access', 'closed']]), unset: [] });
  here = await createLoginWorld({ ec2Url: ec2.url, place: { account, region: REGION, instance: id } });
  alice = await here.certify({ principals: ['dev', 'alice@example.com'], traits: { logins: [LOGIN] } });
}, STEP_MS);

afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await ec2.close();
}, STEP_MS);

/** A situation that the guide speaks of, and how a login ends in it. */
function situation(words: string, outcome: Outcome, show: () => Promise<void>): void {
  it(
    `${words}: ${outcome}`,
    async () => {
      await show();
      shown.set(words, outcome);
    },
    2 * STEP_MS,
  );
}

function tag(value: string): void {
  const { region, instance } = here.agent.place;
  ec2.fleet.changeTags({ region, id: instance }, { set: new Map([['access', value]]), unset: [] });
}

const OPEN = [{ logins: [LOGIN], label: ['aws/access', 'open'] as const }];
const EVERYWHERE = ['*', '*'] as const;

describe('installing', () => {
  it(
    'changes who gets in once sshd was told, and check says what is missing',
    async () => {
      expect(await here.ssh('check')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('fix: tagplane-agent ssh install'),
      });
      const installed = await here.ssh('install', '--reload');
      expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('is written') });
      expect(await here.ssh('install')).toMatchObject({ stdout: expect.stringContaining('is unchanged') });
    },
    STEP_MS,
  );

  it(
    'is undone when sshd refuses it',
    async () => {
      const file = join(here.sshd.dropInFolder, '50-tagplane.conf');
      const broken = join(here.sshd.dropInFolder, '60-broken.conf');
      const before = await readFile(file, 'utf8');
      await writeFile(broken, 'Nonsense yes\n');
      expect(await here.ssh('install', '--socket', '/another.sock')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/nothing is changed: .*60-broken\.conf.*Nonsense/),
      });
      expect(await readFile(file, 'utf8')).toBe(before);
      await rm(broken);
      expect(await readdir(here.sshd.dropInFolder)).toEqual(['50-tagplane.conf']);
    },
    STEP_MS,
  );
});

describe('a login', () => {
  situation('no role allows it', 'refused', async () => {
    await here.putRole('dev', { allow: OPEN });
    await here.holdsTag('access', 'closed');
    await here.decides('refused', ['dev']);
    await here.logsIn('refused', alice);
  });

  situation('the tag of the instance becomes what a role wants', 'allowed', async () => {
    const before = { sshd: here.sshd.pid, agent: agentPid() };
    tag('open');
    await here.logsIn('allowed', alice);
    expect({ sshd: here.sshd.pid, agent: agentPid() }).toEqual(before);
  });

  it(
    'has all that it needs, as check says',
    async () => {
      expect(await here.ssh('check')).toMatchObject({
        code: 0,
        stdout: expect.not.stringContaining('wrong'),
      });
    },
    STEP_MS,
  );

  situation('the tag becomes something else', 'refused', async () => {
    tag('closed');
    await here.logsIn('refused', alice);
    tag('open');
    await here.logsIn('allowed', alice);
  });

  situation('another role of the certificate denies it', 'refused', async () => {
    await here.putRole('suspended', { deny: [{ logins: ['*'], label: EVERYWHERE }] });
    await here.decides('refused', ['dev', 'suspended']);
    await here.logsIn('refused', await here.certify({ principals: ['dev', 'suspended'] }));
    await here.logsIn('allowed', alice);
  });

  situation('the role is for another login name', 'refused', async () => {
    await here.logsIn('refused', alice, ANOTHER);
  });

  situation('a trait of the certificate is the login name that a role wants', 'allowed', async () => {
    await here.putRole('own-name', { allow: [{ logins: ['{{traits.logins}}'], label: EVERYWHERE }] });
    const named = await here.certify({ principals: ['own-name'], traits: { logins: ['deploy', LOGIN] } });
    await here.logsIn('allowed', named);
  });

  situation('the certificate lacks the trait', 'refused', async () => {
    await here.logsIn('refused', await here.certify({ principals: ['own-name'] }));
  });

  situation('the certificate has no principals', 'refused', async () => {
    await here.logsIn('refused', await here.certify({ principals: [] }));
  });

  situation('the certificate has ended', 'refused', async () => {
    await here.logsIn('refused', await here.certify({ principals: ['dev'], validity: '-2h:-1h' }));
  });

  situation('sshd does not trust who issued the certificate', 'refused', async () => {
    const other = await createUserCa(here.folder, 'other_ca');
    await here.logsIn('refused', await other.certify({ principals: ['dev'] }));
  });

  situation('there is a key and no certificate', 'refused', async () => {
    const keyFile = join(here.folder, 'bare');
    await makeKey(keyFile);
    await here.logsIn('refused', { keyFile, certificateFile: undefined });
  });

  situation('an operator takes the rule out of the role', 'refused', async () => {
    await here.putRole('dev', { allow: [{ logins: [LOGIN], label: ['aws/access', 'never'] }] });
    await here.logsIn('refused', alice);
    await here.putRole('dev', { allow: OPEN });
    await here.logsIn('allowed', alice);
  });
});

describe('a login when something is down', () => {
  situation('the agent is stopped', 'refused', async () => {
    await here.agent.service.stop();
    await here.logsIn('refused', alice);
    expect(await here.ssh('check')).toMatchObject({ code: 1, stdout: expect.stringContaining('no agent') });
    await here.startAgent();
    await here.logsIn('allowed', alice);
  });

  situation('the auth service is down', 'allowed', async () => {
    for (const auth of here.world.auths) await auth.stop();
    await here.logsIn('allowed', alice);
  });

  situation('the auth service is down, and the agent was restarted', 'allowed', async () => {
    await here.agent.service.kill();
    await here.startAgent();
    await here.logsIn('allowed', alice);
  });

  situation('the auth service is down, and the labels ran out', 'refused', async () => {
    await here.agent.service.stop();
    await here.startAgent(shiftedClock(2 * HOUR_MS));
    await here.logsIn('refused', alice);
    expect(await here.ssh('check')).toMatchObject({ code: 1, stdout: expect.stringContaining('ran out') });
  });

  situation('the auth service is back', 'allowed', async () => {
    await here.agent.service.stop();
    for (const auth of here.world.auths) await auth.start();
    for (const auth of here.world.auths) await auth.ready();
    await here.startAgent();
    await here.logsIn('allowed', alice);
  });

  situation("the agent's labels were edited on its disk", 'refused', async () => {
    tag('closed');
    await here.logsIn('refused', alice);
    for (const auth of here.world.auths) await auth.stop();
    await here.agent.service.stop();
    const file = join(here.agent.dataDir, 'labels.json');
    const text = await readFile(file, 'utf8');
    const edited = text.replaceAll('closed', 'open');
    expect(edited).not.toBe(text);
    await writeFile(file, edited);
    await here.startAgent();
    await here.decides('refused', ['dev']);
    await here.logsIn('refused', alice);
    // Everything it would take is there but the labels, which it does not trust.
    expect(await here.agent.ask('/v1/status')).toMatchObject({
      labels: { freshness: 'none' },
      roles: { freshness: 'fresh', source: 'disk' },
      refused: [{ file: expect.stringContaining('labels.json') }],
    });
  });

  it(
    'heals when the auth service is back',
    async () => {
      tag('open');
      for (const auth of here.world.auths) await auth.start();
      for (const auth of here.world.auths) await auth.ready();
      await here.logsIn('allowed', alice);
    },
    STEP_MS,
  );
});

describe('the guide', () => {
  it(
    'makes an authority, a certificate and a role that let somebody in',
    async () => {
      const { text } = await readDocument('docs/openssh.md');
      const folder = await mkdtemp(join(here.folder, 'guide-'));
      const [commands = ''] = fencedBlocks(text, 'sh').filter((block) => block.startsWith('ssh-keygen'));
      const [role = ''] = fencedBlocks(text, 'yaml').filter((block) => block.startsWith('kind: role'));
      await mustRun('sh', ['-euc', commands.replace('deploy', LOGIN)], { ...ANYWHERE, cwd: folder });
      await appendFile(here.ca.publicKeyFile, await readFile(join(folder, 'user_ca.pub')));
      await writeFile(join(folder, 'role.yaml'), role);
      const env = tagctlEnv({
        port: here.world.authPorts[0] ?? 0,
        credentialFile: here.world.credentialFile,
      });
      const created = await runTagctl(['create', '--force', join(folder, 'role.yaml')], env);
      expect(created).toMatchObject({ code: 0 });
      const keyFile = join(folder, 'alice');
      await here.logsIn('allowed', { keyFile, certificateFile: `${keyFile}-cert.pub` });
    },
    STEP_MS,
  );
});

describe('uninstalling', () => {
  it(
    'takes away what was installed, and who gets in by it',
    async () => {
      expect(await here.ssh('uninstall', '--reload')).toMatchObject({ code: 0 });
      expect(await readdir(here.sshd.dropInFolder)).toEqual([]);
      await here.logsIn('refused', alice);
      expect(await here.ssh('uninstall')).toMatchObject({ stdout: expect.stringContaining('is absent') });
    },
    STEP_MS,
  );
});

describe('docs/openssh.md', () => {
  it('says of each situation what was shown here', async () => {
    const rows = tableUnder((await readDocument('docs/openssh.md')).text, '## What happens when');
    expect(rows.map(([words, outcome]) => [words, outcome])).toEqual([...shown]);
  });
});

function agentPid(): number | undefined {
  return here.agent.service.pid;
}
