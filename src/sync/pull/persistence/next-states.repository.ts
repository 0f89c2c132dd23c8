import { Injectable } from '@nestjs/common';
import { prepared } from '../../../database/prepared.js';
import { toSafeInteger } from '../../../database/safe-integer.js';
import type { TenantTransaction } from '../../../database/tenant-database.js';

/** Of each kind of entry that is no event, the lamport of the next one; Infinity if there is none. */
export interface NextStates {
  readonly product: number;
  readonly payment: number;
  readonly conflict: number;
}

type Row = { readonly [kind in keyof NextStates]: string | null };

/** Tells a pull what it need not ask for. It has no tables of its own, and writes none. */
@Injectable()
export class NextStatesRepository {
  /** The first with a lamport above `lamport`. */
  async after(tx: TenantTransaction, lamport: number): Promise<NextStates> {
    const [row] = await prepared<Row>(tx, 'next states', NEXT_STATES, [tx.tenantId, lamport]);
    if (!row) throw new Error('A query without a condition has no answer');
    return { product: lamportIn(row.product), payment: lamportIn(row.payment), conflict: lamportIn(row.conflict) };
  }
}

const NEXT_STATES = `SELECT ${next('products')} AS product, ${next('payments')} AS payment, ${next('sync_conflicts')} AS conflict`;

/** In order: whether there is any would be asked of the whole table, if its rows are taken to be the tenant's. */
function next(table: string): string {
  return `(SELECT lamport_ts FROM ${table} WHERE tenant_id = $1 AND lamport_ts > $2 ORDER BY lamport_ts LIMIT 1)`;
}

function lamportIn(text: string | null): number {
  return text === null ? Infinity : toSafeInteger(text);
}
