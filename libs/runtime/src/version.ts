/** The version of every program and library here; a test holds it against package.json. */
export const VERSION = '0.1.0';
