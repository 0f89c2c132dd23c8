// A till that sells as fast as it can, and says which sales it was promised are kept: to be killed at any moment.
import { Level } from 'level';
import { SyncClient } from '../../dist/client/src/index.js';

const [store, product, options] = process.argv.slice(2);
const { baseUrl, token, ...author } = JSON.parse(options);
const till = await SyncClient.open({ database: new Level(store), baseUrl, token: () => token, ...author });
if (baseUrl !== '') void till.sync().catch(() => undefined); // so that it also dies while it syncs
const line = { productId: product, operation: 'DECREMENT', delta: 1, reason: 'SALE', paymentStatus: 'PAID' };
for (;;) {
  const receipts = await till.recordStock([line, line]);
  process.stdout.write(`${receipts.map(({ id }) => id).join('\n')}\n`);
}
