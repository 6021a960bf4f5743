import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { motoCommand } from '@tagplane/ec2/testing';

const BRIDGE = fileURLToPath(new URL('./boto3_bridge.py', import.meta.url));
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export interface Boto3Call {
  readonly region: string;
  /** As boto3 names it. Default `ec2`. */
  readonly service?: string;
  /** The role whose credentials make the call. */
  readonly assume?: string;
  /** A method of boto3's client of the service. */
  readonly method: string;
  readonly arguments?: object;
}

/** An instance as boto3 sees it. */
export interface Boto3Instance {
  readonly state: string;
  readonly tags: Map<string, string>;
}

/** boto3, a client of AWS that shares no code with this project. */
export interface Boto3 {
  /** Makes the calls in order in one Python process; resolves to their answers. */
  call(calls: readonly Boto3Call[]): Promise<unknown[]>;
  /** All instances of a region by id. */
  view(region: string): Promise<Map<string, Boto3Instance>>;
}

export async function startBoto3(endpointUrl: string): Promise<Boto3> {
  const python = await pythonBeside(await motoCommand());
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_ACCESS_KEY_ID: 'testing',
    AWS_SECRET_ACCESS_KEY: 'testing',
  };
  const call = async (calls: readonly Boto3Call[]): Promise<unknown[]> => {
    const text = await new Promise<string>((resolve, reject) => {
      const child = execFile(
        python,
        [BRIDGE],
        { env, maxBuffer: MAX_OUTPUT_BYTES },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`boto3: ${stderr.trim().split('\n').at(-1) ?? ''}`, { cause: error }));
        },
      );
      child.stdin?.end(JSON.stringify(calls.map((one) => ({ arguments: {}, ...one }))));
    });
    return JSON.parse(text) as unknown[];
  };
  return {
    call,
    async view(region) {
      const [seen] = (await call([{ region, method: 'view' }])) as [
        Record<string, { state: string; tags: [string, string][] }>,
      ];
      return new Map(
        Object.entries(seen).map(([id, { state, tags }]) => [id, { state, tags: new Map(tags) }]),
      );
    },
  };
}

/** The Python that has boto3 is the one that moto was installed for. */
async function pythonBeside(moto: string): Promise<string> {
  const beside = join(dirname(moto), 'python3');
  return await access(beside).then(
    () => beside,
    () => 'python3',
  );
}
