import type { AccessRequest } from '@tagplane/access';
import * as z from 'zod';
import { BadQuestionError } from '../local-question.ts';
import type { Question } from '../local-question.ts';

/** Many more than a certificate names. */
const MAX_ROLES = 2_000;
const MAX_NAME = 256;
const MAX_TRAITS = 256;
const MAX_VALUE = 1_024;

const name = z.string().min(1).max(MAX_NAME);
const value = z.string().max(MAX_VALUE);

const asked = z.object({
  login: name,
  roles: z.array(name).max(MAX_ROLES).default([]),
  // A map, because `__proto__` is a name like any other.
  traits: z.preprocess(
    mapped,
    z
      .map(name, z.array(value).max(MAX_TRAITS))
      .refine((traits) => traits.size <= MAX_TRAITS, `at most ${MAX_TRAITS}`),
  ),
});

function mapped(traits: unknown): unknown {
  if (traits === undefined) return new Map();
  const isObject = typeof traits === 'object' && traits !== null && !Array.isArray(traits);
  return isObject && !(traits instanceof Map) ? new Map(Object.entries(traits)) : traits;
}

/**
 * Who wants in, by `?login=L&role=R…&trait=NAME=VALUE…` or by JSON `{login, roles, traits: {NAME: [VALUE…]}}`,
 * of which other members are left alone.
 *
 * @throws BadQuestionError with one line that names what is wrong
 */
export function accessQuestion(question: Question): AccessRequest {
  const read = asked.safeParse('query' in question ? ofQuery(question.query) : question.body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const path = issue?.path.join('.') ?? '';
    throw new BadQuestionError(`${path === '' ? 'the question' : path}: ${issue?.message ?? ''}`);
  }
  return read.data;
}

function ofQuery(query: URLSearchParams): unknown {
  const unknown = [...query.keys()].find((key) => !['login', 'role', 'trait'].includes(key));
  if (unknown !== undefined)
    throw new BadQuestionError(`${JSON.stringify(unknown)}: there are login, role, trait`);
  const [login, ...others] = query.getAll('login');
  if (login === undefined) throw new BadQuestionError('login: it is missing');
  if (others.length > 0) throw new BadQuestionError('login: there can be only one');
  return { login, roles: query.getAll('role'), traits: traitsOf(query.getAll('trait')) };
}

/**
 * By name, every value of it in order.
 *
 * @param texts each `NAME=VALUE`
 * @throws BadQuestionError
 */
export function traitsOf(texts: readonly string[]): Map<string, string[]> {
  const traits = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw new BadQuestionError('trait: expected NAME=VALUE');
    const key = text.slice(0, at);
    traits.set(key, [...(traits.get(key) ?? []), text.slice(at + 1)]);
  }
  return traits;
}
