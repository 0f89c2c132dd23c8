import type { BenchmarkEnvironment } from './environment.js';
import { Filling } from './filling.js';

/** A catalogue as a large wholesaler might have it, all in stock. */
export async function fillWithProducts(
  environment: BenchmarkEnvironment,
  tenantId: string,
  rows: number,
): Promise<void> {
  // A number's own ids: the level of a product is found without asking for the product's.
  const idOf = (kind: string): string => `md5('${kind}' || number)::uuid`;
  await Filling.of(environment, tenantId, async (filling) => {
    await filling.insert('products', rows, {
      id: idOf('product'),
      name: `'Goat cheese, cured ' || number`,
      description: `CASE WHEN number % 2 = 0 THEN 'Cured for ' || number % 90 || ' days, from the cellar' END`,
      price: `(number * 37 % 1000000) / 100.0`,
      sku: `'QC-' || number`,
      category: `'Cheese ' || number % 50`,
      reorder_point: 'number % 20',
      version: '1',
      lamport_ts: '2 * number',
      client_lamport: '2 * number',
      device_id: idOf('device'),
      edit_id: idOf('edit'),
      updated_by: idOf('user'),
      created_at: `date_trunc('milliseconds', now() - number * interval '7.919 s')`,
      updated_at: `date_trunc('milliseconds', now() - number * interval '3.571 s')`,
    });
    await filling.insert('stock_levels', rows, {
      product_id: idOf('product'),
      quantity: 'number % 1000',
      tracked: 'true',
      last_lamport: '2 * number + 1',
    });
    await filling.setClock(2 * rows + 1);
  });
}
