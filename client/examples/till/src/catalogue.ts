import type { LocalProduct, SyncClient } from '@agrotour/sync-client';
import { UsageError } from './options.js';

/** Living products, by name. A till holds what one shop sells: that fits into memory. */
export async function productsByName(client: SyncClient): Promise<LocalProduct[]> {
  const products: LocalProduct[] = [];
  for await (const product of client.products()) products.push(product);
  return products.sort((a, b) => a.name.localeCompare(b.name));
}

/** @param words a SKU, the beginning of an id, or a part of a name @throws UsageError unless they mean one product */
export async function findProduct(client: SyncClient, words: string): Promise<LocalProduct> {
  const wanted = words.trim().toLowerCase();
  const products = await productsByName(client);
  const exact = products.find(({ sku, name }) => sku?.toLowerCase() === wanted || name.toLowerCase() === wanted);
  const found = exact
    ? [exact]
    : products.filter(({ id, name }) => name.toLowerCase().includes(wanted) || id.startsWith(wanted));
  const [product] = found;
  if (product && found.length === 1) return product;
  if (!product) throw new UsageError(`There is no product like "${words.trim()}": "products" lists them.`);
  throw new UsageError(`"${words.trim()}" may be ${found.map(({ name }) => name).join(', ')}: say which.`);
}

/** @returns its name, or the beginning of its id if it is not in the catalogue */
export async function nameOf(client: SyncClient, productId: string): Promise<string> {
  return (await client.product(productId))?.name ?? `product ${productId.slice(0, 8)}`;
}
