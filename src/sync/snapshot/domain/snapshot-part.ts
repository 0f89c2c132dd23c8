import type { StockLevel } from '../../../inventory/domain/ledger.js';
import type { RecordedProduct } from '../../../inventory/domain/product.js';
import type { RecordedPayment } from '../../../payments/domain/payment.js';
import type { TenantClock } from '../../../tenancy/domain/lamport-clock.js';

export interface ProductLevel extends StockLevel {
  readonly productId: string;
}

/** How many of each a snapshot has. */
export interface SnapshotCounts {
  readonly products: number;
  readonly levels: number;
  readonly payments: number;
}

/**
 * What a snapshot is read and sent in: a header, batches of living products, of stock levels and of open payments, and
 * an end. All of it is as it was at the header's lamport.
 */
export type SnapshotPart =
  | { readonly kind: 'HEADER'; readonly tenantId: string; readonly clock: TenantClock; readonly at: Date }
  | { readonly kind: 'PRODUCTS'; readonly products: readonly RecordedProduct[] }
  | { readonly kind: 'LEVELS'; readonly levels: readonly ProductLevel[] }
  | { readonly kind: 'PAYMENTS'; readonly payments: readonly RecordedPayment[] }
  | { readonly kind: 'END'; readonly counts: SnapshotCounts };
