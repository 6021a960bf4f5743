/** What an error says, for a log or a person; anything else that was thrown, as text. */
export function errorMessage(error: unknown): string {
  // By its shape: an error may come from another realm, where it is no instance of this one's Error.
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
