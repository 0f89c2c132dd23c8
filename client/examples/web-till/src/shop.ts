import type { RejectedEntry, Status, SyncClient } from '@agrotour/sync-client';
import { attempt, byId, coalesced, make, makeButton } from './page.js';
import { ProductList } from './product-list.js';

const STATUS: Readonly<Record<Status, string>> = {
  idle: 'Online',
  syncing: 'Syncing',
  waiting: 'Offline',
  offline: 'Offline',
  revoked: 'Locked out: this device was revoked',
  unauthorized: 'Locked out: the token is refused',
  suspended: 'The business is suspended',
  'upgrade-required': 'This page is too old for the service: reload it',
  stopped: 'Stopped',
};

/** Shows what the client has, and shows it again whenever that has changed. */
export function openShop(client: SyncClient): void {
  const show = coalesced(() => showAll(client, products));
  const refresh = (): void => void attempt(show);
  const products = new ProductList(client, refresh);
  for (const event of ['stock', 'conflict', 'rejected', 'synced', 'status'] as const) client.on(event, refresh);
  addProductForm(client);
  byId('shop', HTMLElement).hidden = false;
  client.start();
  refresh();
}

async function showAll(client: SyncClient, products: ProductList): Promise<void> {
  await showStatus(client);
  await products.show();
  await showRejected(client);
  await showConflicts(client);
}

async function showStatus(client: SyncClient): Promise<void> {
  const { waiting } = await client.position();
  const text = `${STATUS[client.status]} · ${waiting === 0 ? 'all is sent' : `${waiting} to send`}`;
  const status = byId('status', HTMLElement);
  if (status.textContent !== text) status.textContent = text; // said once by a screen reader
}

async function showRejected(client: SyncClient): Promise<void> {
  const items: HTMLLIElement[] = [];
  for await (const entry of client.rejected()) {
    const again = makeButton('Send again', () => client.retry(entry.lamport));
    const forget = makeButton('Forget', async () => {
      await client.discard(entry.lamport);
      await showRejected(client);
    });
    items.push(make('li', make('p', await rejectionText(client, entry)), make('span', again, ' ', forget)));
  }
  showList('rejected', items);
}

async function showConflicts(client: SyncClient): Promise<void> {
  const items: HTMLLIElement[] = [];
  for await (const { kind, awaits, resolution_reason, entity_id } of client.conflicts()) {
    const what = kind.toLowerCase().replaceAll('_', ' ');
    const outcome = awaits === 'PERSON' ? 'waits for the staff' : (resolution_reason ?? 'is being looked at');
    items.push(make('li', make('p', `${await nameOf(client, entity_id)}, ${what}: ${outcome}`)));
  }
  showList('conflicts', items);
}

function showList(id: 'rejected' | 'conflicts', items: readonly HTMLLIElement[]): void {
  byId(id, HTMLElement).replaceChildren(...items);
  byId(`${id}-section`, HTMLElement).hidden = items.length === 0;
}

function addProductForm(client: SyncClient): void {
  const form = byId('new-product', HTMLFormElement);
  const [name, price, units] = ['name', 'price', 'units'].map((id) => byId(id, HTMLInputElement));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(async () => {
      await client.saveProduct({
        name: name?.value ?? '',
        ...(price?.value && { price: price.valueAsNumber }),
        ...(units?.value && { currentStock: units.valueAsNumber }),
      });
      form.reset();
    });
  });
}

async function rejectionText(client: SyncClient, entry: RejectedEntry): Promise<string> {
  switch (entry.kind) {
    case 'operation': {
      const { reason, delta, product_id } = entry.body;
      return `${reason.toLowerCase()} of ${delta} ${await nameOf(client, product_id)}: ${entry.message}`;
    }
    case 'product':
      return `${await nameOf(client, entry.body.id)}: ${entry.message}`;
    case 'payment':
      return `payment of ${entry.body.amount}: ${entry.message}`;
  }
}

async function nameOf(client: SyncClient, productId: string): Promise<string> {
  return (await client.product(productId))?.name ?? 'a product';
}
