import { QueryFailedError } from 'typeorm';

/**
 * Lost connections, a database that starts, stops or is still in recovery, and the limits on locks and statements:
 * trying again may help. So it does where a pooler has lost what was prepared on a connection, which is then closed.
 */
const TRANSIENT_SQLSTATES = /^(08...|53...|57P0[123]|55P03|57014|25P03|26000|25006|55000|40001|40P01)$/;
const TRANSIENT_SOCKET_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/** Whether the database was out of reach, or too busy: nothing was wrong with what was asked of it. */
export function isTransient(exception: unknown): boolean {
  const error: unknown = exception instanceof QueryFailedError ? exception.driverError : exception;
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    TRANSIENT_SQLSTATES.test(code) ||
    TRANSIENT_SOCKET_CODES.has(code) ||
    // pg gives these no code: the pool's wait, its own limit on a query, and a socket that closed under one.
    error.message === 'timeout exceeded when trying to connect' ||
    error.message === 'Query read timeout' ||
    error.message.startsWith('Connection terminated')
  );
}
