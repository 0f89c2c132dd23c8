import type { RetailLine } from './retail-csv.js';

/**
 * What a line does to stock, in units, told from its columns alone. On purpose it shares nothing with the mapping: the
 * comparison at the end would not see a fault that both have.
 */
export function stockChangeOf({ invoice, quantity, priceMills, customer }: RetailLine): number {
  if (invoice.startsWith('A')) return 0;
  if (quantity < 0) return invoice.startsWith('C') ? -quantity : quantity; // came back, or written off
  return priceMills === 0 && customer === '' ? quantity : -quantity; // found, or sold
}

/** What a line takes in, in whole pence; negative for a refund. A write-off takes in nothing, whatever its price says. */
export function takingsOf({ invoice, quantity, priceMills }: RetailLine): number {
  if (invoice.startsWith('A') || (quantity < 0 && !invoice.startsWith('C'))) return 0;
  const pence = Math.round(Math.abs(quantity * priceMills) / 10);
  return Math.sign(quantity * priceMills) * pence;
}
