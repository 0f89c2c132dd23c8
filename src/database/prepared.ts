import type { QueryConfig, QueryResult } from 'pg';
import { QueryFailedError } from 'typeorm';
import type { TenantTransaction } from './tenant-database.js';

/**
 * Sends a statement that each connection parses and plans once, under its name: for what every push or pull asks.
 *
 * It is sent at once. Statements that are called without waiting for each other go out in one flight, and the server
 * takes them in that order, each seeing what those before it did: `Promise.all` of several costs one round trip.
 * @param name unique among all statements of the service
 * @param text names the columns that it returns: with `*` a migration would spoil the plans of those who are connected
 * @throws QueryFailedError
 */
export async function prepared<Row extends object>(
  tx: Pick<TenantTransaction, 'send'>,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return (await send<Row>(tx, { name, text, values })).rows;
}

/** As `prepared`, of very many rows: lists of texts, in PostgreSQL's own words, of which nothing has been made. */
export async function preparedRaw(
  tx: Pick<TenantTransaction, 'send'>,
  name: string,
  text: string,
  values: unknown[],
): Promise<(string | null)[][]> {
  const query = { name, text, values, rowMode: 'array', types: UNREAD } as QueryConfig;
  return (await send<(string | null)[] & object>(tx, query)).rows;
}

const UNREAD = { getTypeParser: () => (text: unknown) => text };

async function send<Row extends object>(
  tx: Pick<TenantTransaction, 'send'>,
  query: QueryConfig & { readonly text: string },
): Promise<QueryResult<Row>> {
  try {
    return await tx.send<Row>(query);
  } catch (error) {
    throw error instanceof Error ? new QueryFailedError(query.text, query.values, error) : error;
  }
}
