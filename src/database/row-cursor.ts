import type { EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import type { TenantTransaction } from './tenant-database.js';

/**
 * Rows of a query in batches of at most `batchSize`, each read when the consumer asks for it: memory stays flat however
 * many there are. One cursor at a time in a transaction.
 */
export async function* readInBatches<Row>(
  tx: TenantTransaction,
  query: string,
  parameters: readonly unknown[],
  batchSize: number,
): AsyncGenerator<Row[], void, undefined> {
  // The planner takes it that a tenth of a cursor is read, and plans for a fast start. These are read to their end.
  await tx.manager.query(`SELECT set_config('cursor_tuple_fraction', '1', true)`);
  await tx.manager.query(`DECLARE rows NO SCROLL CURSOR FOR ${query}`, [...parameters]);
  for (;;) {
    const batch = await tx.manager.query<Row[]>(`FETCH ${batchSize} FROM rows`);
    if (batch.length > 0) yield batch;
    if (batch.length < batchSize) break;
  }
  await tx.manager.query('CLOSE rows');
}

/**
 * As `readInBatches`, for the rows of an entity: plain objects with its properties, in the order of one, which should have
 * an index, or in none. TypeORM itself reads entities all at once, or streams rows that its transformers have not seen.
 */
export async function* readEntitiesInBatches<Entity extends ObjectLiteral>(
  tx: TenantTransaction,
  entity: EntityTarget<Entity>,
  where: FindOptionsWhere<Entity>,
  batchSize: number,
  order?: keyof Entity & string,
): AsyncGenerator<Entity[], void, undefined> {
  const { driver } = tx.manager.dataSource;
  const { columns } = tx.manager.dataSource.getMetadata(entity);
  const select = tx.manager.createQueryBuilder(entity, 'row').select([]).where(where);
  for (const { propertyName } of columns) select.addSelect(`row.${propertyName}`, propertyName);
  if (order !== undefined) select.orderBy(`row.${order}`);
  // What has no transformer is as pg has read it.
  const transformed = columns.filter((column) => column.transformer !== undefined);
  for await (const rows of readInBatches<Record<string, unknown>>(tx, ...select.getQueryAndParameters(), batchSize)) {
    for (const row of rows) {
      for (const column of transformed) {
        row[column.propertyName] = driver.prepareHydratedValue(row[column.propertyName], column);
      }
    }
    yield rows as Entity[];
  }
}
