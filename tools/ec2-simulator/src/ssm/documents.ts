import { AwsError } from '../aws-error.ts';
import type { JsonAction, JsonInput } from '../json-service.ts';
import { optionalText, text } from './input.ts';

type Parameters = Readonly<Record<string, readonly string[]>>;

interface ParameterRule {
  readonly required: boolean;
  readonly pattern: RegExp | undefined;
}

interface SsmDocument {
  readonly name: string;
  readonly content: string;
  readonly format: string;
  /** By parameter; undefined where the content was not read (YAML). */
  readonly rules: ReadonlyMap<string, ParameterRule> | undefined;
}

const REQUIRED: ParameterRule = { required: true, pattern: undefined };
const OPTIONAL: ParameterRule = { required: false, pattern: undefined };
/** What every account has from AWS. */
const MANAGED = ['AWS-RunShellScript', 'AWS-RunPowerShellScript'].map((name): SsmDocument => ({
  ...{ name, content: '{"schemaVersion":"1.2"}', format: 'JSON' },
  rules: new Map([
    ['commands', REQUIRED],
    ['workingDirectory', OPTIONAL],
    ['executionTimeout', { required: false, pattern: /^[1-9][0-9]{0,5}$/ }],
  ]),
}));

/** Documents by account and region. */
export class Documents {
  readonly #own = new Map<string, SsmDocument>();

  create: JsonAction = (input, { caller, now }) => {
    const name = text(input, 'Name');
    if (this.#find(caller, name) !== undefined) {
      throw new AwsError('DocumentAlreadyExists', 'The specified document already exists.');
    }
    const format = optionalText(input, 'DocumentFormat') || 'JSON';
    const content = text(input, 'Content');
    const rules = format === 'JSON' ? rulesOf(content) : undefined;
    this.#own.set(keyOf(caller, name), { name, content, format, rules });
    const type = optionalText(input, 'DocumentType') || 'Command';
    const facts = { Name: name, Owner: caller.account, CreatedDate: now / 1_000, Status: 'Active' };
    return {
      DocumentDescription: { ...facts, DocumentVersion: '1', DocumentType: type, DocumentFormat: format },
    };
  };

  get: JsonAction = (input, { caller }) => {
    const { name, content, format } = this.require(caller, text(input, 'Name'));
    const facts = { DocumentVersion: '1', Status: 'Active', DocumentType: 'Command' };
    return { Name: name, Content: content, DocumentFormat: format, ...facts };
  };

  /** By name or ARN. Throws AwsError for an unknown one. */
  require(caller: { account: string; region: string }, nameOrArn: string): SsmDocument {
    const name = nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
    const found = this.#find(caller, name);
    if (found !== undefined) return found;
    throw new AwsError('InvalidDocument', `Document with name ${nameOrArn} does not exist.`);
  }

  /** Throws AwsError for parameters that the document does not take. */
  check({ name, rules }: SsmDocument, parameters: Parameters): void {
    if (rules === undefined) return;
    for (const [key, values] of Object.entries(parameters)) {
      const rule = rules.get(key);
      const fits = rule !== undefined && values.every((value) => rule.pattern?.test(value) ?? true);
      if (!fits) throw new AwsError('InvalidParameters', `The parameter ${key} of ${name} is not valid.`);
    }
    for (const [key, { required }] of rules) {
      if (!required || Object.hasOwn(parameters, key)) continue;
      throw new AwsError('InvalidParameters', `The parameter ${key} of ${name} is missing.`);
    }
  }

  reset(): void {
    this.#own.clear();
  }

  #find(caller: { account: string; region: string }, name: string): SsmDocument | undefined {
    return MANAGED.find((managed) => managed.name === name) ?? this.#own.get(keyOf(caller, name));
  }
}

function keyOf({ account, region }: { account: string; region: string }, name: string): string {
  return `${account}/${region}/${name}`;
}

function rulesOf(content: string): ReadonlyMap<string, ParameterRule> {
  const document = parsed(content);
  if (typeof document['schemaVersion'] !== 'string') throw invalidContent('schemaVersion is missing');
  const parameters = (document['parameters'] ?? {}) as JsonInput;
  return new Map(Object.entries(parameters).map(([name, rule]) => [name, ruleOf(rule as JsonInput)]));
}

function ruleOf(rule: JsonInput): ParameterRule {
  const pattern = rule['allowedPattern'];
  return {
    required: rule['default'] === undefined,
    pattern: typeof pattern === 'string' ? new RegExp(pattern) : undefined,
  };
}

function parsed(content: string): JsonInput {
  try {
    return JSON.parse(content) as JsonInput;
  } catch {
    throw invalidContent('the content is no JSON');
  }
}

function invalidContent(message: string): AwsError {
  return new AwsError('InvalidDocumentContent', message);
}
