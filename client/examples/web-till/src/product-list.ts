import type { LocalProduct, Stock, SyncClient } from '@agrotour/sync-client';
import { byId, make, makeButton } from './page.js';

const SHOWN_MAX = 100;

/** Its elements live as long as the product is shown, so that a change elsewhere takes nobody's focus away. */
interface Row {
  readonly element: HTMLLIElement;
  show(product: LocalProduct, stock: Stock | undefined): void;
}

export class ProductList {
  private readonly rows = new Map<string, Row>();
  private readonly list = byId('products', HTMLUListElement);
  private readonly search = byId('search', HTMLInputElement);

  constructor(
    private readonly client: SyncClient,
    private readonly onSearch: () => void,
  ) {
    this.search.addEventListener('input', this.onSearch);
  }

  async show(): Promise<void> {
    const wanted = this.search.value.trim().toLowerCase();
    const products: LocalProduct[] = [];
    for await (const product of this.client.products()) {
      if (product.name.toLowerCase().includes(wanted)) products.push(product);
    }
    const shown = products.sort((a, b) => a.name.localeCompare(b.name)).slice(0, SHOWN_MAX);
    const elements: HTMLLIElement[] = [];
    for (const product of shown) {
      const row = this.rows.get(product.id) ?? this.makeRow(product.id);
      row.show(product, await this.client.stock(product.id));
      elements.push(row.element);
    }
    const isSame =
      elements.length === this.list.children.length && elements.every((one, at) => this.list.children[at] === one);
    if (!isSame) this.list.replaceChildren(...elements);
  }

  private makeRow(id: string): Row {
    const [name, stock] = [make('strong'), make('small')];
    const sell = makeButton('Sell 1', () => this.sell(id));
    const row: Row = {
      element: make('li', make('p', name, stock), sell),
      show: (product, units) => {
        name.textContent = product.name;
        stock.textContent = stockText(product, units);
        sell.setAttribute('aria-label', `Sell 1 ${product.name}`);
      },
    };
    this.rows.set(id, row);
    return row;
  }

  private async sell(productId: string): Promise<void> {
    const price = (await this.client.product(productId))?.price ?? null;
    await this.client.recordStock({
      ...{ productId, operation: 'DECREMENT', delta: 1, reason: 'SALE', paymentStatus: 'PAID' },
      amount: price,
    });
  }
}

function stockText({ price }: LocalProduct, stock: Stock | undefined): string {
  const { optimistic = 0, pending = 0 } = stock ?? {};
  return [
    ...(price === null ? [] : [price.toFixed(2)]),
    `${optimistic} in stock`,
    ...(pending === 0 ? [] : [`${pending > 0 ? '+' : ''}${pending} not confirmed yet`]),
  ].join(' · ');
}
