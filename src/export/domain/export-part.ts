import type { LabelledConflict } from '../../conflicts/domain/conflict-log.js';
import type { StockLevel } from '../../inventory/domain/ledger.js';
import type { RecordedProduct } from '../../inventory/domain/product.js';
import type { RecordedEvent } from '../../inventory/domain/stock-event.js';
import type { RecordedPayment } from '../../payments/domain/payment.js';
import type { StateVersion } from '../../states/domain/state.js';
import type { RecordedEntry } from '../../tenancy/audit/domain/audit-entry.js';
import type { Device } from '../../tenancy/domain/device.js';
import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { Tenant } from '../../tenancy/domain/tenant.js';

/** Rows of each type, by the name that their lines have, in the order of the lines. */
export interface ExportRows {
  readonly tenant: Tenant;
  readonly device: Device;
  readonly product: RecordedProduct;
  readonly payment: RecordedPayment;
  /** Of a product or payment, as it was after each of its changes. */
  readonly version: StateVersion & { readonly recordedAt: Date };
  readonly event: RecordedEvent;
  readonly stock_level: StockLevel & { readonly productId: string };
  readonly conflict: LabelledConflict;
  readonly audit: RecordedEntry;
}

export type ExportType = keyof ExportRows;

export type ExportCounts = Readonly<Record<ExportType, number>>;

/** Some rows of one type. */
export type ExportBatch = {
  readonly [Type in ExportType]: { readonly type: Type; readonly rows: readonly ExportRows[Type][] };
}[ExportType];

/** What an export is read and sent in. All of it is as it was at the header's lamport. */
export type ExportPart =
  | { readonly type: 'header'; readonly tenantId: string; readonly clock: TenantClock; readonly at: Date }
  | ExportBatch
  | { readonly type: 'end'; readonly counts: ExportCounts };
