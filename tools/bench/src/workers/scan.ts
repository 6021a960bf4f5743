// Scans one region of an EC2 endpoint, through libs/ec2 or through the bare SDK's paginator.
import { EC2Client, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { createEc2Scanner } from '@tagplane/ec2';
import { parseRegion } from '@tagplane/identity';
import { watchLoop } from '../loop-watch.ts';
import { answer, measured, workerArgument } from '../worker.ts';

const { endpoint, how } = workerArgument() as { endpoint: string; how: 'bare' | 'ours' };
const REGION = 'eu-central-1';
const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' };

interface Seen {
  readonly instances: number;
  readonly requests: number;
}

async function bare(): Promise<Seen> {
  const client = new EC2Client({ region: REGION, endpoint, credentials });
  let [instances, requests] = [0, 0];
  for await (const page of paginateDescribeInstances({ client, pageSize: 1_000 }, {})) {
    for (const reservation of page.Reservations ?? []) instances += reservation.Instances?.length ?? 0;
    requests += page.$metadata.attempts ?? 1;
  }
  client.destroy();
  return { instances, requests };
}

async function ours(): Promise<Seen> {
  const region = parseRegion(REGION);
  if (region === undefined) throw new Error(`${REGION} is no region`);
  using scanner = createEc2Scanner({ region, endpoint, credentials });
  let [instances, requests] = [0, 0];
  for await (const page of scanner.scan({ signal: new AbortController().signal })) {
    instances += page.instances.length;
    requests += page.requests;
  }
  return { instances, requests };
}

const loop = watchLoop();
const { cost, result } = await measured(how === 'bare' ? bare : ours);
answer({ cost, ...result, loopCpuMs: loop.stop() });
