import { AwsError } from '../aws-error.ts';
import { estateRoutes } from '../estate/control-routes.ts';
import type { Estate } from '../estate/estate.ts';
import type { Extension } from '../extension.ts';
import { createJsonService } from '../json-service.ts';
import type { JsonAction, JsonInput } from '../json-service.ts';
import { accountView, organizationView, tree } from './tree.ts';
import type { Tree } from './tree.ts';
import { page } from './page.ts';

/** Answers from the organisation as it is now. */
type OrganizationsAction = (tree: Tree, input: JsonInput, estate: Estate) => object;

const ACTIONS: readonly (readonly [name: string, action: OrganizationsAction])[] = [
  ['ListAccounts', ({ accounts }, input) => page('Accounts', accounts.map(accountView), input)],
  [
    'ListAccountsForParent',
    ({ accountsOf }, input) => page('Accounts', accountsOf(id(input, 'ParentId')).map(accountView), input),
  ],
  ['ListRoots', ({ root }, input) => page('Roots', [root], input)],
  [
    'ListOrganizationalUnitsForParent',
    ({ unitsOf }, input) => page('OrganizationalUnits', unitsOf(id(input, 'ParentId')), input),
  ],
  ['ListParents', ({ parentsOf }, input) => page('Parents', parentsOf(id(input, 'ChildId')), input)],
  ['ListTagsForResource', ({ tagsOf }, input) => page('Tags', tagsOf(id(input, 'ResourceId')), input)],
  [
    'DescribeAccount',
    ({ accountOf }, input) => ({ Account: accountView(accountOf(id(input, 'AccountId'))) }),
  ],
  ['DescribeOrganization', (_tree, _input, estate) => ({ Organization: organizationView(estate) })],
];

/** Any account of the organisation may ask for these. */
const FOR_MEMBERS: ReadonlySet<string> = new Set(['DescribeOrganization']);

/** AWS Organizations over the estate, and the control routes of its owner. */
export function createOrganizations(estate: Estate): Extension {
  const actions = ACTIONS.map(([name, action]): [string, JsonAction] => [
    name,
    (input, { caller }) => {
      if (!estate.organised || estate.account(caller.account)?.member !== true) {
        throw new AwsError(
          'AWSOrganizationsNotInUseException',
          'Your account is not a member of an organization.',
        );
      }
      if (caller.account !== estate.management && !FOR_MEMBERS.has(name)) {
        throw new AwsError('AccessDeniedException', "You don't have permissions to access this resource.");
      }
      return action(tree(estate), input, estate);
    },
  ]);
  return {
    service: createJsonService({
      name: 'organizations',
      target: 'AWSOrganizationsV20161128',
      version: '1.1',
      actions: new Map(actions),
    }),
    routes: estateRoutes(estate),
    reset: () => {
      estate.reset();
    },
  };
}

function id(input: JsonInput, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new AwsError('InvalidInputException', `You specified an invalid value: ${name} is required.`);
}
