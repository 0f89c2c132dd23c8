import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

const KINDS = ['operation', 'product', 'payment'] as const;
const STATUSES = ['accepted', 'duplicate', 'conflict', 'ignored', 'rejected'] as const;

/** What became of the entries that devices pushed. */
@Injectable()
export class PushMetrics {
  private readonly entries: Counter<'kind' | 'status'>;

  constructor(registry: Registry) {
    this.entries = new Counter({
      name: 'agrotour_push_entries_total',
      help: 'Entries of pushes that were committed, by what they are and what became of them.',
      labelNames: ['kind', 'status'],
      registers: [registry],
    });
    // A rate needs a line to start from: without these the first rejection would not show as one.
    for (const kind of KINDS) for (const status of STATUSES) this.entries.inc({ kind, status }, 0);
  }

  /** To be told after the commit: before it, nothing has become of an entry. */
  recorded(kind: (typeof KINDS)[number], status: (typeof STATUSES)[number]): void {
    this.entries.inc({ kind, status });
  }
}
