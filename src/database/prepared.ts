import { QueryFailedError } from 'typeorm';
import type { TenantTransaction } from './tenant-database.js';

/**
 * Sends a statement that each connection parses and plans once, under its name: for what every push or pull asks. Where no
 * plans are kept it is planned for its values, as any other.
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
  return (await failingAs({ text, values }, () => tx.send<Row>({ name, text, values }))).rows;
}

/**
 * As `prepared`, of very many rows: each is handed over as it arrives, a list of texts in PostgreSQL's own words, which is
 * empty afterwards.
 */
export async function preparedRows(
  tx: Pick<TenantTransaction, 'receive'>,
  name: string,
  text: string,
  values: unknown[],
  onRow: (row: readonly (string | null)[]) => void,
): Promise<void> {
  return failingAs({ text, values }, () => tx.receive({ name, text, values }, onRow));
}

async function failingAs<T>({ text, values }: { text: string; values: unknown[] }, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof Error ? new QueryFailedError(text, values, error) : error;
  }
}
