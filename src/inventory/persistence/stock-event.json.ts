import type { EncodedEvent } from '../domain/stock-event.js';

/** How a value is written that PostgreSQL has sent as text: between which marks, and what of it. */
interface Writer {
  readonly mark: '"' | '';
  readonly write: (text: string) => string;
}

const asItIs = (text: string): string => text;

const WRITERS = {
  /** Ids and words of our own: there is nothing to escape in them. */
  WORD: { mark: '"', write: asItIs },
  NUMBER: { mark: '', write: asItIs },
  /** PostgreSQL keeps the zeros at its end. */
  AMOUNT: { mark: '', write: (text: string) => String(Number(text)) },
  /** In UTC (tenant-database.ts). Only milliseconds are ever stored, and zeros at their end are left out. */
  TIME: {
    mark: '"',
    write: (text: string) =>
      `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0').slice(0, 3)}Z`,
  },
  BYTES: { mark: '"', write: (text: string) => text.slice(2) },
} as const satisfies Record<string, Writer>;

/** Where each field of the wire comes from. */
const FIELDS: Readonly<Record<string, readonly [column: string, as: keyof typeof WRITERS]>> = {
  operation_id: ['operation_id', 'WORD'],
  product_id: ['product_id', 'WORD'],
  device_id: ['device_id', 'WORD'],
  device_type: ['device_type', 'WORD'],
  operation: ['operation', 'WORD'],
  delta: ['delta', 'NUMBER'],
  reason: ['reason', 'WORD'],
  payment_status: ['payment_status', 'WORD'],
  amount: ['amount', 'AMOUNT'],
  location_lat: ['location_lat', 'NUMBER'],
  location_lng: ['location_lng', 'NUMBER'],
  lamport_ts: ['lamport_ts', 'NUMBER'],
  client_lamport: ['client_lamport', 'NUMBER'],
  base_lamport: ['base_lamport', 'NUMBER'],
  version: ['version', 'NUMBER'],
  group_id: ['group_id', 'WORD'],
  ref_operation_id: ['ref_operation_id', 'WORD'],
  expires_at: ['expires_at', 'TIME'],
  created_at: ['created_at', 'TIME'],
  created_by: ['created_by', 'WORD'],
  updated_by: ['updated_by', 'WORD'],
  effect: ['effect', 'NUMBER'],
  stock_after: ['stock_after', 'NUMBER'],
  disposition: ['disposition', 'WORD'],
  synced_at: ['synced_at', 'TIME'],
  content_hash: ['content_hash', 'BYTES'],
  chain_hash: ['chain_hash', 'BYTES'],
};

export const ENCODED_COLUMNS = Object.values(FIELDS).map(([column]) => column);
const LAMPORT_AT = ENCODED_COLUMNS.indexOf('lamport_ts');
const CHAIN_HASH_AT = ENCODED_COLUMNS.indexOf('chain_hash');
const MEMBERS = Object.entries(FIELDS).map(([name, [, as]], index) => {
  const key = `${index > 0 ? ',' : '{'}"${name}":`;
  const { mark, write }: Writer = WRITERS[as];
  return { absent: `${key}null`, before: key + mark, write, after: mark };
});

/** @param row the values of `ENCODED_COLUMNS`, as PostgreSQL sends them */
export function toEncodedEvent(row: readonly (string | null)[]): EncodedEvent {
  let json = '';
  let at = 0;
  for (const { absent, before, write, after } of MEMBERS) {
    const text = row[at] ?? null;
    json += text === null ? absent : before + write(text) + after;
    at += 1;
  }
  return {
    lamport: Number(row[LAMPORT_AT]),
    chainHash: row[CHAIN_HASH_AT]?.slice(2) ?? '',
    json: Buffer.from(`${json}}`, 'latin1'), // ASCII; and at once, so that none of the texts outlives its row
  };
}
