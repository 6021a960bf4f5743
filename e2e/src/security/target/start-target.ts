import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@tagplane/harness';
import { Role } from '@tagplane/protocol';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { StsControl } from '@tagplane/ec2-simulator';
import { connectClient } from '../attacker/client.ts';
import { pem } from '../attacker/certificates.ts';
import { ControlStream, instanceMessage } from '../attacker/control-stream.ts';
import { DocumentSigner } from '../attacker/identity-document.ts';
import { join as joinCluster } from '../attacker/join.ts';
import { newSourceAddress } from '../attacker/source-address.ts';
import { stealAuthority } from '../attacker/stolen-authority.ts';
import type { AwsKeys } from '../attacker/sts-request.ts';
import { startStubSts } from '../attacker/stub-sts.ts';
import { startAuthProcess } from './auth-process.ts';
import { createOperator } from './operator.ts';
import { ACCOUNT, REGION, someInstance } from './samples.ts';
import { Target } from './target.ts';

const OPERATOR = { role: 'operator', name: 'eve-the-good' } as const;
/** What the simulator's STS takes for a role of the account. */
const ROLE = 'fleet';

/** Starts everything, with an agent that joined as it should and holds its labels. */
export async function startTarget(): Promise<Target> {
  await using build = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-security-'));
  build.defer(() => rm(folder, { recursive: true, force: true }));
  const aws = build.use(await createEc2Simulator({ instances: 0, account: ACCOUNT }).listen());
  const sts = build.use(await startStubSts(aws.url));
  const documents = build.use(await DocumentSigner.create());
  const otherDocuments = build.use(await DocumentSigner.create());
  const auth = build.use(
    await startAuthProcess(folder, {
      config: {
        join: {
          iam: { allow: [{ account: ACCOUNT, role: ROLE }], sts_endpoint: sts.url },
          ec2: { allow: [{ account: ACCOUNT }], certificates: { [REGION]: documents.certificateFile } },
        },
      },
    }),
  );
  const awsKeys = register(aws.sts, ROLE);
  const strangerKeys = register(aws.sts, 'stranger');
  const issuer = await stealAuthority(auth.files);
  const certificate = await issuer.certify(OPERATOR);
  const client = build.use(connectClient({ address: auth.address, source: newSourceAddress(), certificate }));
  const operator = createOperator(`${OPERATOR.role}/${OPERATOR.name}`, client.transport);
  const target = new Target({
    auth,
    issuer,
    operator,
    sts,
    awsKeys,
    strangerKeys,
    documents,
    otherDocuments,
  });

  await target.prepare(async () => build.use(await connectHonest(target)));
  target.owns(build.move());
  return target;
}

function register(sts: StsControl, role: string): AwsKeys {
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/session-of-${role}`;
  return sts.register({ account: ACCOUNT, arn, userId: `AROA:${role}` });
}

/** Joins by a token for its instance, and waits for its labels. */
async function connectHonest(target: Target) {
  const instance = someInstance();
  await target.describe(instance, { role: 'honest' });
  const token = await target.addToken({ role: Role.AGENT, name: 'honest', instance });
  const { key, issued } = await joinCluster(target.dial(), {
    role: Role.AGENT,
    prove: () => ({ case: 'token', value: { token } }),
  });
  target.secrets.addPem('the key of an agent', key.privateKey);
  const certificate = { key: key.privateKey, cert: issued.certificates.map(pem).join('') };
  const stream = new ControlStream(target.dial({ certificate }));
  stream.hello('honest', { awsInstance: instanceMessage(instance), hostname: 'honest.example' });
  await waitFor('the honest agent has its labels', () => stream.labels.get('aws/role') === 'honest');
  return Object.assign(stream, { serverId: 'honest', instance });
}
