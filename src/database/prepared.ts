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
  { send }: Pick<TenantTransaction, 'send'>,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    return (await send<Row>({ name, text, values })).rows;
  } catch (error) {
    throw error instanceof Error ? new QueryFailedError(text, values, error) : error;
  }
}
