import { randomUUID } from 'node:crypto';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation, aPaymentEdit, aProductEdit } from './builders.js';
import type { TestLedger } from './ledger.js';

type Ids = [string, string, string, string, string];

export interface LivedInTenant {
  readonly tenantId: string;
  readonly shopId: string;
  readonly tillId: string;
}

/**
 * A tenant with products, stock, a reservation, payments and conflicts, decided and open.
 * @param mark what all its texts begin with
 * @param firstLamport from which its clock runs, so that its lamports can be told from another tenant's
 */
export async function liveIn(ledger: TestLedger, mark: string, firstLamport: number): Promise<LivedInTenant> {
  const [tenantId, shopId, tillId, productId, editedId] = Array.from({ length: 5 }, () => randomUUID()) as Ids;
  await ledger.database.transaction(tenantId, async (tx) => {
    await new TenantRepository().create(tx, { name: `${mark} business`, createdAt: new Date() });
    for (const [id, name] of [
      [shopId, 'shop'],
      [tillId, 'till'],
    ] as const) {
      const device = { id, name: `${mark} ${name}`, deviceType: 'DESKTOP', createdAt: new Date() } as const;
      await new DeviceRepository().enrol(tx, device);
    }
  });
  const at = (fields: { device_id: string; lamport_ts: number }) => ({
    ...{ tenant_id: tenantId, product_id: productId, created_by: randomUUID() },
    ...{ ...fields, lamport_ts: firstLamport + fields.lamport_ts },
  });
  const sale = { operation: 'DECREMENT', reason: 'SALE', payment_status: 'PENDING', delta: 3 } as const;
  await ledger.push(tenantId, shopId, {
    operations: [
      anOperation({ ...at({ device_id: shopId, lamport_ts: 1 }), delta: 4 }),
      anOperation({
        ...at({ device_id: shopId, lamport_ts: 2 }),
        ...{ operation: 'DECREMENT', reason: 'RESERVATION', expires_at: '9999-01-01T00:00:00Z' },
      }),
    ],
    products: [
      aProductEdit({
        ...{ id: productId, name: `${mark} name`, description: `${mark} description`, sku: `${mark} sku` },
        ...{ category: `${mark} category`, reorder_point: 50, lamport_ts: firstLamport + 1 },
      }),
      aProductEdit({ id: editedId, name: `${mark} before`, lamport_ts: firstLamport + 1 }),
    ],
    payments: [1, 2].map((n) =>
      aPaymentEdit({
        ...{ amount: n, notes: `${mark} notes`, receipt_photo: `${mark} photo`, lamport_ts: firstLamport + n },
        ...{ payment_method: 'POS_OFFLINE', pos_transaction_id: `${mark} charge`, pos_device_id: `${mark} terminal` },
      }),
    ),
  });
  // Both sell what is there once, count it, and rename a product, not knowing of each other.
  for (const device_id of [shopId, tillId]) {
    await ledger.push(tenantId, device_id, {
      operations: [
        anOperation({ ...at({ device_id, lamport_ts: 20 }), ...sale, base_lamport: firstLamport + 10 }),
        anOperation({
          ...at({ device_id, lamport_ts: 21 }),
          ...{ operation: 'SET', reason: 'COUNT', delta: 1, base_lamport: firstLamport + 10 },
        }),
      ],
      products: [
        aProductEdit({ id: editedId, name: `${mark} by ${device_id}`, version: 1, lamport_ts: firstLamport + 20 }),
      ],
    });
  }
  return { tenantId, shopId, tillId };
}
