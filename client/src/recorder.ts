import { faultsOfOperation, faultsOfPayment, faultsOfProduct } from './domain/entry-checks.js';
import type { Recorded } from './domain/entry.js';
import type { Environment } from './environment.js';
import { InvalidEntryError } from './problem.js';
import type { Meta } from './storage/tables.js';
import { type FieldError, type Operation, type PaymentEdit, type ProductEdit, PUSH_ENTRIES_MAX } from './wire.js';

/** Who records. */
export interface Author {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly deviceType: Operation['device_type'];
  readonly userId: string;
}

/** A movement of stock, a reservation, or a count. */
export interface StockMovement {
  readonly productId: string;
  readonly operation: Operation['operation'];
  /** Units: at least 1, or, counted (SET), what is there. */
  readonly delta: number;
  readonly reason: Operation['reason'];
  readonly paymentStatus?: Operation['payment_status'];
  /** Money, at most 2 decimals. */
  readonly amount?: number | null;
  /** The reservation that a sale confirms, or what a cancellation gives back. */
  readonly refOperationId?: string | null;
  /** When a reservation lapses, ISO 8601. */
  readonly expiresAt?: string | null;
  readonly location?: { readonly latitude: number; readonly longitude: number } | null;
}

/** What is left out stays as it is. */
export interface ProductFields {
  /** By default a new product's. */
  readonly id?: string;
  readonly name?: string;
  readonly description?: string | null;
  readonly price?: number | null;
  readonly sku?: string | null;
  readonly category?: string | null;
  /** Units below which it is due for a restock. */
  readonly reorderPoint?: number | null;
  /** Units that are there when the product is new. */
  readonly currentStock?: number | null;
}

/** What is left out stays as it is. */
export interface PaymentFields {
  /** By default a new payment's. */
  readonly id?: string;
  readonly saleId?: string;
  readonly amount?: number;
  readonly paymentMethod?: PaymentEdit['payment_method'];
  readonly posTransactionId?: string | null;
  readonly posDeviceId?: string | null;
  readonly receiptPhoto?: string | null;
  readonly notes?: string | null;
}

/** What was recorded, under this lamport of the device's clock. */
export type Stamped = Recorded & { readonly lamport: number };

/** Turns what an app says into entries as the wire has them, each with the next lamport of the device's clock. */
export class Recorder {
  constructor(
    private readonly author: Author,
    private readonly environment: Pick<Environment, 'now' | 'randomUuid'>,
  ) {}

  /** The lines of one sale, if there are several: taken together or not at all. */
  operations(movements: readonly StockMovement[], { clock, base }: Meta): readonly Stamped[] {
    const group_id = movements.length > 1 ? this.environment.randomUuid() : null;
    if (movements.length > PUSH_ENTRIES_MAX) {
      throw new InvalidEntryError([fault('length', 'MAX_LENGTH', `must be at most ${PUSH_ENTRIES_MAX} lines`)]);
    }
    return movements.map((movement, index) => {
      const lamport = clock + 1 + index;
      const body: Operation = {
        operation_id: this.environment.randomUuid(),
        tenant_id: this.author.tenantId,
        product_id: movement.productId,
        device_id: this.author.deviceId,
        device_type: this.author.deviceType,
        operation: movement.operation,
        delta: movement.delta,
        reason: movement.reason,
        payment_status: movement.paymentStatus ?? null,
        amount: movement.amount ?? null,
        location_lat: movement.location?.latitude ?? null,
        location_lng: movement.location?.longitude ?? null,
        lamport_ts: lamport,
        base_lamport: base,
        group_id,
        ref_operation_id: movement.refOperationId ?? null,
        expires_at: movement.expiresAt ?? null,
        created_at: new Date(this.environment.now()).toISOString(),
        created_by: this.author.userId,
      };
      refuse(faultsOfOperation(body), movements.length > 1 ? `[${index}].` : '');
      return { kind: 'operation', body, lamport };
    });
  }

  /** @param version that was edited, so that the server can tell what others have changed since */
  product(fields: ProductFields & { readonly isDeleted?: boolean }, meta: Meta, version: number | undefined): Stamped {
    const { id, reorderPoint, currentStock, isDeleted, ...same } = fields;
    const body: ProductEdit = {
      ...this.edit(id, meta, version),
      ...same,
      ...(reorderPoint !== undefined && { reorder_point: reorderPoint }),
      ...(currentStock !== undefined && { current_stock: currentStock }),
      ...(isDeleted !== undefined && { is_deleted: isDeleted }),
    };
    refuse(faultsOfProduct(body));
    return { kind: 'product', body, lamport: body.lamport_ts };
  }

  /** @param version that was edited, so that the server can tell what others have changed since */
  payment(fields: PaymentFields, meta: Meta, version: number | undefined): Stamped {
    const { id, saleId, amount, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes } = fields;
    const body: PaymentEdit = {
      ...this.edit(id, meta, version),
      ...(saleId !== undefined && { sale_id: saleId }),
      ...(amount !== undefined && { amount }),
      ...(paymentMethod !== undefined && { payment_method: paymentMethod }),
      ...(posTransactionId !== undefined && { pos_transaction_id: posTransactionId }),
      ...(posDeviceId !== undefined && { pos_device_id: posDeviceId }),
      ...(receiptPhoto !== undefined && { receipt_photo: receiptPhoto }),
      ...(notes !== undefined && { notes }),
    };
    refuse(faultsOfPayment(body));
    return { kind: 'payment', body, lamport: body.lamport_ts };
  }

  private edit(id: string | undefined, { clock }: Meta, version: number | undefined) {
    return {
      id: id ?? this.environment.randomUuid(),
      tenant_id: this.author.tenantId,
      device_id: this.author.deviceId,
      lamport_ts: clock + 1,
      updated_by: this.author.userId,
      ...(version !== undefined && { version }),
    };
  }
}

function refuse(faults: readonly FieldError[], prefix = ''): void {
  if (faults.length > 0) throw new InvalidEntryError(faults.map((one) => ({ ...one, path: prefix + one.path })));
}

function fault(path: string, code: string, message: string): FieldError {
  return { path, code, message };
}
