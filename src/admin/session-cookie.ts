/** Where the cookie counts: a path of its own, so that no request to the API ever carries it. */
export const ADMIN_PATH = '/admin';

const NAME = 'agrotour_admin';

/** Browsers drop a cookie of more than 4,096 bytes without a word. */
export const TOKEN_CHARACTERS_MAX = 4_000;

const ATTRIBUTES = `Path=${ADMIN_PATH}; HttpOnly; SameSite=Strict`;

/**
 * The `Set-Cookie` that keeps a token for as long as it is valid. Scripts can't read it, and other sites can't send it.
 * @param secure whether the browser came by https: it then never sends the cookie by http
 */
export function keepToken(token: string, secondsLeft: number, secure: boolean): string {
  return `${NAME}=${token}; ${ATTRIBUTES}; Max-Age=${secondsLeft}${secure ? '; Secure' : ''}`;
}

/** The `Set-Cookie` that makes the browser forget it. */
export const FORGET_TOKEN = `${NAME}=; ${ATTRIBUTES}; Max-Age=0`;

/** @param header the request's `Cookie` (RFC 6265, section 4.2.1) */
export function keptToken(header: string | undefined): string | undefined {
  const start = `${NAME}=`;
  const pair = header?.split(';').find((each) => each.trim().startsWith(start));
  const token = pair?.trim().slice(start.length);
  return token === '' ? undefined : token;
}
