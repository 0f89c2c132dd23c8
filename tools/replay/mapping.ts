import { createHash } from 'node:crypto';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { uuidV5 } from '../../src/tenancy/domain/name-based-uuid.js';
import { londonToUtc } from './london-time.js';
import type { RetailLine } from './retail-csv.js';

/** Of all ids that the replay derives; the same file gives the same ids on every run. */
const NAMESPACE = 'e0cd4467-d068-4331-8941-8a890e8aa423';

/** What a line of the file did to stock: an operation without who pushed it, and when by the logical clock. */
export type Movement = Readonly<
  Pick<
    OperationDto,
    'operation' | 'delta' | 'reason' | 'product_id' | 'created_at' | 'payment_status' | 'amount' | 'ref_operation_id'
  >
> & { readonly operation_id: string };

/**
 * The operation that a line of the file is; undefined for a bad debt (invoice `A…`), which moves money but no goods.
 * The table in docs/replay.md says the same in words.
 */
export function toMovement(line: RetailLine): Movement | undefined {
  if (isBadDebt(line)) return undefined;
  const base = {
    operation_id: operationIdOf(line.number),
    product_id: productIdOf(line.code),
    delta: Math.abs(line.quantity),
    created_at: londonToUtc(line.localTime),
  };
  if (isCancellation(line)) return { ...base, operation: 'INCREMENT', reason: 'CANCEL', amount: amountOf(line) };
  if (line.quantity < 0) {
    // PAID stands for "has happened": goods that are broken are gone, whatever stock was known to be there. An unpaid
    // decrement beyond it would be refused with INSUFFICIENT_STOCK.
    return { ...base, operation: 'DECREMENT', reason: 'DAMAGE', payment_status: 'PAID' };
  }
  if (line.priceMills === 0 && line.customer === '') return { ...base, operation: 'INCREMENT', reason: 'ADJUSTMENT' };
  return { ...base, operation: 'DECREMENT', reason: 'SALE', payment_status: 'PAID', amount: amountOf(line) };
}

/** The receipt of goods that the file lacks: `units` of a product are put in stock before the shop opens. */
export function toOpeningBalance(shop: number, productId: string, units: number): Movement {
  return {
    operation_id: uuidV5(NAMESPACE, `opening balance ${shop} ${productId}`),
    product_id: productId,
    operation: 'INCREMENT',
    delta: units,
    reason: 'RESTOCK',
  };
}

/** Money is written off and no goods move: the one kind of line that is no operation. */
export function isBadDebt(line: RetailLine): boolean {
  return line.invoice.startsWith('A');
}

/** Goods come back and money goes out; a `C` invoice has no other lines. */
export function isCancellation(line: RetailLine): boolean {
  return line.invoice.startsWith('C') && line.quantity < 0;
}

/** A line of a sale that a cancellation may take back. */
export function isSale(movement: Movement): boolean {
  return movement.reason === 'SALE';
}

/** Goods have a code that begins with five digits; the rest is postage, fees, discounts, samples and the like. */
export function isGoods(code: string): boolean {
  return /^\d{5}/.test(code);
}

/**
 * By the line's number and never by its content: thousands of lines are the same byte for byte, and each is a scan of
 * its own. Tenants keep their logs apart, so the ids may be the same in each run.
 */
export function operationIdOf(lineNumber: number): string {
  return uuidV5(NAMESPACE, `line ${lineNumber}`);
}

/** By the code exactly as written: `85123A` and `85123a` are different products. */
export function productIdOf(code: string): string {
  return uuidV5(NAMESPACE, `product ${code}`);
}

/** A sale and the cancellation that mirrors it have the same key; undefined without a customer, where nothing tells. */
export function cancellationKeyOf({ customer, code, priceMills, quantity }: RetailLine): string | undefined {
  return customer === '' ? undefined : JSON.stringify([customer, code, priceMills, Math.abs(quantity)]);
}

/** A customer always goes to the same shop, so a sale and its cancellation meet; without one the invoice decides. */
export function shopOf({ customer, invoice }: RetailLine, shopCount: number): number {
  return pick(customer === '' ? `invoice ${invoice.replace(/^C/, '')}` : `customer ${customer}`, shopCount);
}

/** An invoice is written at one till. */
export function tillOf({ invoice }: RetailLine, tillCount: number): number {
  return pick(`till ${invoice}`, tillCount);
}

/** Chance that is the same on every run: a number from 0 to `count` − 1, by the hash of `name`. */
export function pick(name: string, count: number): number {
  return createHash('sha1').update(name).digest().readUInt32BE(0) % count;
}

/** Pounds, with two decimals; halves are rounded away from zero. */
function amountOf({ quantity, priceMills }: RetailLine): number {
  const pence = Math.round(Math.abs(quantity * priceMills) / 10);
  return (Math.sign(quantity * priceMills) * pence) / 100 + 0; // + 0: minus zero is zero
}
