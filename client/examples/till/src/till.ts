import type { Conflict, LocalProduct, OutboxEntry, StockMovement, SyncClient } from '@agrotour/sync-client';
import { findProduct, nameOf, productsByName } from './catalogue.js';
import { UsageError } from './options.js';
import { aligned, conflictLine, entityOf, entryLine, signed } from './words.js';

/** A line of a sale or a delivery. */
interface Line {
  readonly product: LocalProduct;
  readonly units: number;
}

/** What the person at the till can do. Each answers with what to show. */
export class Till {
  constructor(private readonly client: SyncClient) {}

  /** All lines of a sale are one group: the server takes all of them, or none. */
  async sell(text: string, paymentStatus: 'PAID' | 'PENDING'): Promise<string> {
    const lines = await this.lines(text);
    await this.record(lines, ({ product, units }) => ({
      ...{ operation: 'DECREMENT', reason: 'SALE', paymentStatus },
      ...(product.price !== null && { amount: Math.round(product.price * units * 100) / 100 }),
    }));
    return `Sold ${await this.told(lines)}.`;
  }

  async restock(text: string): Promise<string> {
    const lines = await this.lines(text);
    await this.record(lines, () => ({ operation: 'INCREMENT', reason: 'RESTOCK' }));
    return `Restocked ${await this.told(lines)}.`;
  }

  async count(text: string): Promise<string> {
    const lines = await this.lines(text);
    await this.record(lines, () => ({ operation: 'SET', reason: 'COUNT' }));
    return `Counted ${await this.told(lines)}.`;
  }

  /** @param text name, price and opening stock, separated by commas; the last two may be left out */
  async add(text: string): Promise<string> {
    const [name = '', price, stock] = text.split(',').map((part) => part.trim());
    if (name === '') throw new UsageError('Say it like: add Goat cheese, 12.50, 40');
    await this.client.saveProduct({
      name,
      ...(price && { price: Number(price) }),
      ...(stock && { currentStock: Number(stock) }),
    });
    return `Added ${name}.`;
  }

  async products(): Promise<string> {
    const rows: string[][] = [];
    for (const { id, name, price } of await productsByName(this.client)) {
      const stock = await this.client.stock(id);
      const units = stock
        ? [String(stock.optimistic), String(stock.confirmed), stock.pending === 0 ? '' : signed(stock.pending)]
        : ['', '', ''];
      rows.push([name, price?.toFixed(2) ?? '', ...units]);
    }
    if (rows.length === 0) return 'There are no products yet: "add Goat cheese, 12.50, 40".';
    return aligned([['product', 'price', 'stock', 'confirmed', 'pending'], ...rows]);
  }

  async outbox(): Promise<string> {
    const lines: string[] = [];
    for await (const entry of this.client.outbox()) lines.push(await this.entry(entry));
    return lines.join('\n') || 'The server has everything.';
  }

  async conflicts(): Promise<string> {
    const lines: string[] = [];
    for await (const conflict of this.client.conflicts()) lines.push(await this.conflict(conflict));
    return lines.join('\n') || 'There are no conflicts.';
  }

  async conflict(conflict: Conflict): Promise<string> {
    return conflictLine(conflict, await this.nameOf(conflict.entity_id));
  }

  async rejected(): Promise<string> {
    const lines: string[] = [];
    for await (const entry of this.client.rejected()) lines.push(await this.rejection(entry, entry.message));
    return lines.join('\n') || 'Nothing was rejected.';
  }

  async rejection(entry: OutboxEntry, message: string): Promise<string> {
    return `${await this.entry(entry)}: ${message}`;
  }

  async retry(text: string): Promise<string> {
    await this.client.retry(await this.rejectedLamport(text));
    return 'It is sent again.';
  }

  async discard(text: string): Promise<string> {
    await this.client.discard(await this.rejectedLamport(text));
    return 'Forgotten.';
  }

  private async entry(entry: OutboxEntry): Promise<string> {
    return entryLine(entry, await this.nameOf(entityOf(entry)));
  }

  private nameOf(id: string): Promise<string> {
    return nameOf(this.client, id);
  }

  private async record(
    lines: readonly Line[],
    movement: (line: Line) => Omit<StockMovement, 'productId' | 'delta'>,
  ): Promise<void> {
    const movements = lines.map((line) => ({ ...movement(line), productId: line.product.id, delta: line.units }));
    await this.client.recordStock(movements);
  }

  /** @param text 2 goat cheese, 1 honey */
  private async lines(text: string): Promise<Line[]> {
    const lines: Line[] = [];
    for (const part of text.split(',')) {
      const [, units, words] = /^\s*(\d+)\s+(.+)$/.exec(part) ?? [];
      if (units === undefined || words === undefined) throw new UsageError('Say it like: 2 goat cheese, 1 honey');
      lines.push({ product: await findProduct(this.client, words), units: Number(units) });
    }
    return lines;
  }

  private async told(lines: readonly Line[]): Promise<string> {
    const told: string[] = [];
    for (const { product, units } of lines) {
      const stock = await this.client.stock(product.id);
      told.push(`${units} × ${product.name} (${stock?.optimistic ?? 0} left)`);
    }
    return told.join(', ');
  }

  private async rejectedLamport(text: string): Promise<number> {
    const lamport = Number(text.replace('#', ''));
    for await (const entry of this.client.rejected()) if (entry.lamport === lamport) return lamport;
    throw new UsageError('Name one by its number: "rejected" lists them.');
  }
}
