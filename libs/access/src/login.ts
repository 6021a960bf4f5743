/** Values that a user's certificate carries, by their name. */
export type Traits = ReadonlyMap<string, readonly string[]>;

/** Whether a login is one of a rule's. */
export type LoginMatcher = (login: string, traits: Traits) => boolean;

const TEMPLATE = /^([^{}]*)\{\{traits\.([A-Za-z0-9][A-Za-z0-9._-]{0,127})\}\}([^{}]*)$/;

interface Template {
  readonly trait: string;
  readonly before: string;
  readonly after: string;
}

/** Why this is no login of a rule, for a person; undefined: it is one. */
export function loginProblem(login: string): string | undefined {
  if (login === '') return 'a login is not empty';
  if (!login.isWellFormed()) return 'a login is well-formed Unicode';
  if (login === '*') return undefined;
  if (login.includes('*')) return `login ${JSON.stringify(login)}: * stands alone, for any login`;
  if (/\{\{|\}\}/.test(login) && !TEMPLATE.test(login)) {
    return `login ${JSON.stringify(login)}: a template is {{traits.NAME}}, once, with text around it`;
  }
  return undefined;
}

/**
 * A template stands for each value of its trait, as text: a `*` from a trait is no wildcard. Without the trait,
 * or with an empty value that leaves no text, it stands for nothing, in a deny rule too.
 */
export function compileLogins(logins: readonly string[]): LoginMatcher {
  if (logins.includes('*')) return () => true;
  const templates = logins.flatMap((login) => parseTemplate(login) ?? []);
  const texts = logins.filter((login) => parseTemplate(login) === undefined);
  const [only] = texts;
  if (templates.length === 0) {
    if (texts.length === 1) return (login) => login === only;
    const set = new Set(texts);
    return (login) => set.has(login);
  }
  return (login, traits) => texts.includes(login) || templates.some((each) => stands(each, login, traits));
}

function parseTemplate(login: string): Template | undefined {
  const [, before, trait, after] = TEMPLATE.exec(login) ?? [];
  if (before === undefined || trait === undefined || after === undefined) return undefined;
  return { before, trait, after };
}

function stands({ before, trait, after }: Template, login: string, traits: Traits): boolean {
  if (login.length < before.length + after.length) return false;
  if (!login.startsWith(before) || !login.endsWith(after)) return false;
  const value = login.slice(before.length, login.length - after.length);
  return traits.get(trait)?.includes(value) ?? false;
}
