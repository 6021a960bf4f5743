import { AwsCallError, RoleError } from '@tagplane/aws';
import { ScanError } from '@tagplane/ec2';

/** What a report may carry. */
const MAX_CHARACTERS = 1_900;
/** Longer than any chain of causes that is not a circle. */
const MAX_CAUSES = 8;

const DENIED: Readonly<Record<string, string>> = {
  UnauthorizedOperation: 'allow the role ec2:DescribeInstances, and ec2:DescribeRegions for regions: ["*"]',
  AuthFailure: 'the region is not enabled for the account, or the credentials are not valid there',
  OptInRequired: 'enable the region for the account, or leave it out of regions',
  CredentialsProviderError: 'give this process credentials of AWS, or the block a role to assume',
};
const WRONG_CREDENTIALS = 'check the credentials of this process and its clock';
const UNREACHABLE = 'check the network, the endpoint and the name of the region';

/** What failed and how to mend it, in one line for a person. Names roles and accounts, never a tag. */
export function problemText(error: unknown): string {
  const told = causesOf(error).find((each) => each instanceof RoleError || each instanceof AwsCallError);
  const text = told?.message ?? (error instanceof ScanError ? scanProblem(error) : plain(error));
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_CHARACTERS);
}

function scanProblem({ kind, code }: ScanError): string {
  if (kind === 'denied') return `${kind}, ${code}: ${DENIED[code] ?? WRONG_CREDENTIALS}`;
  const isAddress = code === 'ENOTFOUND' || code === 'ECONNREFUSED' || code === 'EAI_AGAIN';
  return isAddress ? `${kind}, ${code}: ${UNREACHABLE}` : `${kind}, ${code}`;
}

function plain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let each = error; each instanceof Error && causes.length < MAX_CAUSES; each = each.cause)
    causes.push(each);
  return causes;
}
