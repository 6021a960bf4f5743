/** Node's own errors are of its main realm: their class is not always the `Error` seen from here. */
export function messageOf(error: unknown): string {
  const message = fieldOf(error, 'message');
  return typeof message === 'string' ? message : String(error);
}

/** The message of the first cause, which says more than "fetch failed". */
export function rootMessageOf(error: unknown): string {
  return messageOf(fieldOf(error, 'cause') ?? error);
}

/** Whether it is the system's error of this name, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return fieldOf(error, 'code') === code;
}

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
