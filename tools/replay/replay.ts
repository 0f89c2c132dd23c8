import type { TokensService } from '../../src/tenancy/tokens.service.js';
import { CancelledSales } from './cancelled-sales.js';
import { compareProducts, spread } from './comparison.js';
import { Differences } from './differences.js';
import type { ExpectedProduct, FileSummary } from './file-summary.js';
import { forEachLimited } from './limited.js';
import {
  isCancellation,
  isGoods,
  isSale,
  type Movement,
  shopOf,
  tillOf,
  toMovement,
  toOpeningBalance,
} from './mapping.js';
import { isOffline, Turns } from './offline-schedule.js';
import type { ReplayOptions } from './options.js';
import { Progress } from './progress.js';
import { readRetailLines, type RetailLine } from './retail-csv.js';
import type { ServiceClient } from './service-client.js';
import { type Replaying, Shop } from './shop.js';
import { Tally } from './tally.js';
import type { Till } from './till.js';

/** File time after which those tills that have signal go online. */
const TURN_MS = 2 * 3_600_000;
/** A till with so much to push finds signal, whatever the schedule says: memory stays bounded. */
const OUTBOX_MAX = 2_000;
/** Tills that sync at the same time, in all shops together. */
const IN_FLIGHT_MAX = 8;
/** Products whose stock is also asked for. */
const STOCK_SAMPLE = 200;

export interface ReplayReport {
  readonly tally: Tally;
  readonly differences: Differences;
  readonly productsCompared: number;
  readonly stocksAsked: number;
  /** From the first opening balance to the last answer, all that the tills pulled included. */
  readonly pushSeconds: number;
  readonly eventsPulledByTills: number;
  /** By the new devices at the end. */
  readonly eventsPulled: number;
  readonly pullSeconds: number;
}

/** Where the replay goes, and with what tokens. */
export interface ReplayTarget {
  readonly client: ServiceClient;
  readonly tokens: TokensService;
  readonly operatorToken: string;
}

/**
 * Replays the file against the service:
 *
 * ```
 *   open        a tenant for each shop, a device for each till
 *   stock       opening balances, pushed by the back office (not with --exact)
 *   replay      every line recorded at its till; tills go online by turns
 *   check       a new device for each shop pulls the whole log; sums, replicas and stocks are compared
 * ```
 * @param summary of the same file
 * @param say tells what is being done, a line at a time
 */
export async function replay(
  options: ReplayOptions,
  summary: FileSummary,
  target: ReplayTarget,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<ReplayReport> {
  const tally = new Tally();
  const differences = new Differences();
  const replaying: Replaying = { ...target, tally, differences };

  const shops: Shop[] = [];
  for (let number = 1; number <= options.shops; number += 1) {
    shops.push(await Shop.open(replaying, target.operatorToken, `shop ${number}`, options.tills));
  }
  const startedAt = performance.now();
  if (options.exact) say('Nothing is invented: stock starts at zero, and goes below it with each sale.');
  else await stockShops(shops, summary, tally, say);
  await replayLines(options, summary, shops, tally, signal);
  const pushSeconds = secondsSince(startedAt);
  const eventsPulledByTills = eventsIn(shops.flatMap((shop) => shop.tills));

  const pullStartedAt = performance.now();
  const newDevices = await pullEverything(shops, tally.operations);
  const pullSeconds = secondsSince(pullStartedAt);
  const productsCompared = await compare(shops, summary, newDevices, differences);
  checkCounts(tally, newDevices, differences);
  const stocksAsked = await askForStocks(shops, summary, target.client, differences);
  return {
    tally,
    differences,
    productsCompared,
    stocksAsked,
    pushSeconds,
    eventsPulledByTills,
    eventsPulled: eventsIn(newDevices),
    pullSeconds,
  };
}

/** One receipt for each shop and product, of all that the file says will leave: then no order of pushes runs it out. */
async function stockShops(
  shops: readonly Shop[],
  summary: FileSummary,
  tally: Tally,
  say: (line: string) => void,
): Promise<void> {
  let units = 0;
  for (const [index, shop] of shops.entries()) {
    const backOffice = await shop.enrol('back office', 'WEB');
    for (const [productId, product] of productsOf(summary, index)) {
      if (!isGoods(product.code) || product.outflow === 0) continue;
      backOffice.record(toOpeningBalance(index, productId, product.outflow));
      product.units += product.outflow;
      product.events += 1;
      tally.openings += 1;
      units += product.outflow;
    }
    await backOffice.sync();
  }
  say(
    `The file has no receipts of goods. Invented: ${count(tally.openings)} opening balances, ${count(units)} units in all, ` +
      'for each shop and product as much as will leave.',
  );
}

/** Goes through the file: each line is recorded at its till at once, and pushed when the till is online. */
async function replayLines(
  options: ReplayOptions,
  summary: FileSummary,
  shops: readonly Shop[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const cancelled = new CancelledSales(summary.cancellations);
  const turns = new Turns(TURN_MS);
  const tills = shops.flatMap((shop) => shop.tills);
  const progress = new Progress('Replay', summary.lines, 'lines');
  try {
    for await (const line of readRetailLines(options.file)) {
      signal.throwIfAborted();
      tally.lines += 1;
      const movement = toMovement(line);
      if (movement === undefined) {
        tally.skipped += 1;
        continue;
      }
      if (turns.advanceTo(line.localTime)) {
        const online = tills.filter((one) => !isOffline(one.device.name, turns.current));
        await forEachLimited(online, IN_FLIGHT_MAX, (one) => one.sync());
        progress.update(tally.lines);
      }
      const till = shopAt(shops, shopOf(line, shops.length)).till(tillOf(line, options.tills));
      record(movement, line, till, cancelled, tally);
      if (till.outboxSize >= OUTBOX_MAX) await till.sync();
    }
    await forEachLimited(tills, IN_FLIGHT_MAX, (one) => one.sync());
    progress.update(tally.lines);
  } finally {
    progress.stop();
  }
}

/** Records the movement at the till; a cancellation names the sale that it takes back, if the till knows of it. */
function record(movement: Movement, line: RetailLine, till: Till, cancelled: CancelledSales, tally: Tally): void {
  const mirrored = isCancellation(line) ? cancelled.take(line, (sale) => till.knows(sale)) : undefined;
  if (mirrored) tally.references += 1;
  const sale = isSale(movement) ? cancelled.remember(line, movement.operation_id, till.device.id) : undefined;
  till.record(mirrored ? { ...movement, ref_operation_id: mirrored.operationId } : movement, sale);
}

/** For each shop a device that was never there before, with the whole log. */
async function pullEverything(shops: readonly Shop[], expectedEvents: number): Promise<Till[]> {
  const devices: Till[] = [];
  for (const shop of shops) devices.push(await shop.enrol('new device', 'MOBILE'));
  const progress = new Progress('Pull', expectedEvents, 'events');
  const onPage = (): void => {
    progress.update(eventsIn(devices));
  };
  try {
    await forEachLimited(devices, IN_FLIGHT_MAX, (device) => device.pullAll(onPage));
  } finally {
    progress.stop();
  }
  return devices;
}

/** @returns how many products of all shops were compared. */
async function compare(
  shops: readonly Shop[],
  summary: FileSummary,
  newDevices: readonly Till[],
  differences: Differences,
): Promise<number> {
  let compared = 0;
  for (const [index, shop] of shops.entries()) {
    const expected = productsOf(summary, index);
    const newDevice = newDevices[index];
    if (newDevice === undefined) throw new RangeError(`${shop.name} has no new device.`);
    compared += compareProducts(expected, newDevice.replica, newDevice.device.name, differences);
    // Every till, once it has pulled to the head, has the stock that the server has.
    for (const till of shop.tills) {
      await till.pullAll();
      compareProducts(expected, till.replica, till.device.name, differences);
    }
  }
  return compared;
}

/** Each operation was accepted once, and stands in the log once. */
function checkCounts(tally: Tally, newDevices: readonly Till[], differences: Differences): void {
  const events = eventsIn(newDevices);
  if (events !== tally.operations) {
    differences.add(`${tally.operations} operations were recorded, and ${events} events pulled`);
  }
}

/** The projection says the same as the log. @returns how many products were asked for. */
async function askForStocks(
  shops: readonly Shop[],
  summary: FileSummary,
  client: ServiceClient,
  differences: Differences,
): Promise<number> {
  const all = shops.flatMap((shop, index) =>
    [...productsOf(summary, index)].map(([productId, product]) => ({ shop, productId, product })),
  );
  const sample = spread(all, STOCK_SAMPLE);
  await forEachLimited(sample, IN_FLIGHT_MAX, async ({ shop, productId, product }) => {
    const { quantity } = await client.stockOf(shop.adminToken, productId);
    if (quantity !== product.units) {
      differences.add(`${shop.name}: stock of ${product.code} is ${quantity}, the file says ${product.units}`);
    }
  });
  return sample.length;
}

function productsOf(summary: FileSummary, shopIndex: number): Map<string, ExpectedProduct> {
  const products = summary.shops[shopIndex];
  if (products === undefined) throw new RangeError(`There is no shop ${shopIndex + 1}.`);
  return products;
}

function shopAt(shops: readonly Shop[], index: number): Shop {
  const shop = shops[index];
  if (shop === undefined) throw new RangeError(`There is no shop ${index + 1}.`);
  return shop;
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}

function eventsIn(devices: readonly Till[]): number {
  return devices.reduce((total, device) => total + device.replica.eventCount, 0);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
