import type { Conflict, OutboxEntry } from '@agrotour/sync-client';

export function signed(units: number): string {
  return units > 0 ? `+${units}` : String(units);
}

/** The product or the payment that an entry is about. */
export function entityOf(entry: OutboxEntry): string {
  return entry.kind === 'operation' ? entry.body.product_id : entry.body.id;
}

/** In columns: the first to the left, numbers to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
    )
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}

/** @param name of the product that it is about */
export function entryLine(entry: OutboxEntry, name: string): string {
  switch (entry.kind) {
    case 'operation': {
      const { reason, operation, delta, payment_status } = entry.body;
      const sign = { INCREMENT: '+', DECREMENT: '-', SET: '=' }[operation];
      const unpaid = payment_status === 'PENDING' ? ', not paid' : '';
      return `#${entry.lamport} ${reason.toLowerCase()} ${sign}${delta} ${name}${unpaid}`;
    }
    case 'product':
      return `#${entry.lamport} product ${name}`;
    case 'payment':
      return `#${entry.lamport} payment of ${entry.body.amount}`;
  }
}

export function conflictLine({ kind, awaits, resolution_reason }: Conflict, name: string): string {
  const outcome =
    awaits === 'PERSON' ? 'waits for the staff’s decision' : awaits ? 'is being looked at' : resolution_reason;
  return `${kind.toLowerCase().replaceAll('_', ' ')}, ${name}: ${outcome ?? 'settled'}`;
}
