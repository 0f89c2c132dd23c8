import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { LedgerAuditRepository } from '../../src/inventory/persistence/ledger-audit.repository.js';
import { ProjectionAuditService } from '../../src/inventory/projection-audit.service.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

describe('the audit of the projection (I1)', () => {
  let database: TestDatabase;
  let source: DataSource;
  let audits: ProjectionAuditService;
  const productId = randomUUID();
  let tenantIds: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 1);
    const ledger = new TestLedger(source);
    audits = new ProjectionAuditService(ledger.database, new TenantRepository(), new LedgerAuditRepository());
    tenantIds = [];
    for (let count = 0; count < 3; count += 1) {
      const { tenantId, deviceId } = await ledger.addTenant();
      const fields = { tenant_id: tenantId, device_id: deviceId };
      const operations = [productId, randomUUID(), productId].map((product_id) =>
        anOperation({ ...fields, product_id }),
      );
      await ledger.push(tenantId, deviceId, operations);
      tenantIds.push(tenantId);
    }
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  it('finds nothing where the levels are what the log says', async () => {
    expect(await audits.audit()).toEqual({ tenants: 3, drifts: [] });
  });

  it.each([
    ['quantity = quantity + 1', 'quantity = quantity - 1'],
    ['last_lamport = last_lamport - 1', 'last_lamport = last_lamport + 1'],
    // As it was two events ago: each of the two agrees with the other, and neither with the log.
    [
      'last_lamport = last_lamport - 2, quantity = quantity - 1',
      'last_lamport = last_lamport + 2, quantity = quantity + 1',
    ],
  ])('names the tenant and the product whose level has been changed: %s', async (change, undo) => {
    const tenantId = tenantIds[1] ?? '';
    const set = (assignment: string): Promise<unknown> =>
      queryOnce(
        database.superuserUrl,
        `UPDATE stock_levels SET ${assignment} WHERE tenant_id = $1 AND product_id = $2`,
        [tenantId, productId],
      );
    await set(change);
    expect(await audits.audit()).toEqual({ tenants: 3, drifts: [{ tenantId, productId }] });
    await set(undo);
    expect(await audits.audit()).toMatchObject({ drifts: [] });
  });

  it('takes a level that says nothing for right where there is no event: a rebuild leaves such', async () => {
    await queryOnce(
      database.superuserUrl,
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport) VALUES ($1, $2, 0, false, 0)`,
      [tenantIds[0], randomUUID()],
    );
    expect(await audits.audit()).toMatchObject({ drifts: [] });
  });

  it('names a level of a product without events', async () => {
    const tenantId = tenantIds[2] ?? '';
    const stray = randomUUID();
    await queryOnce(
      database.superuserUrl,
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport) VALUES ($1, $2, 3, true, 1)`,
      [tenantId, stray],
    );
    expect(await audits.audit()).toMatchObject({ drifts: [{ tenantId, productId: stray }] });
  });
});
