/** Values that a user's certificate carries, by their name. */
export type Traits = ReadonlyMap<string, readonly string[]>;

/** A rule's logins made fit to be asked. */
export interface CompiledLogins {
  /** Whether it is one of them whatever the traits. */
  readonly hasText: (login: string) => boolean;
  readonly templates: readonly Template[];
}

const TEMPLATE = /^([^{}]*)\{\{traits\.([A-Za-z0-9][A-Za-z0-9._-]{0,127})\}\}([^{}]*)$/;

/** Stands for the values of a trait, with text around them. */
export interface Template {
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
export function compileLogins(logins: readonly string[]): CompiledLogins {
  const templates = logins.flatMap((login) => parseTemplate(login) ?? []);
  const texts = new Set(logins.filter((login) => parseTemplate(login) === undefined));
  const any = texts.has('*');
  return {
    hasText: (login) => any || texts.has(login),
    templates,
  };
}

/** Whether the login is one of a rule's for somebody with these traits. */
export function standsFor(logins: CompiledLogins, login: string, traits: Traits): boolean {
  if (logins.hasText(login)) return true;
  return logins.templates.some((template) => {
    const value = templateValue(template, login);
    return value !== undefined && (traits.get(template.trait)?.includes(value) ?? false);
  });
}

/** The value of its trait with which a template stands for the login; undefined: it never does. */
export function templateValue({ before, after }: Template, login: string): string | undefined {
  if (login.length < before.length + after.length) return undefined;
  if (!login.startsWith(before) || !login.endsWith(after)) return undefined;
  return login.slice(before.length, login.length - after.length);
}

function parseTemplate(login: string): Template | undefined {
  const [, before, trait, after] = TEMPLATE.exec(login) ?? [];
  if (before === undefined || trait === undefined || after === undefined) return undefined;
  return { before, trait, after };
}
