import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import type { LocalPayment, LocalProduct, StockMovement } from '../../client/src/index.js';
import { faultsOfClaims } from './claims-check.js';
import { type Device, isOfDevice, type Recorded, type Shown } from './device.js';
import type { LedgerCopy } from './ledger-copy.js';
import type { Shop } from './shop.js';

/** A business with all that the checks compare. */
export interface Checked {
  readonly shop: Shop;
  readonly devices: readonly Device[];
  readonly products: readonly string[];
  readonly copy: LedgerCopy;
}

/** What must hold at any time: of those who have done something since the last look. */
export async function faultsNow({ devices, products, copy }: Checked): Promise<readonly string[]> {
  const faults = [...(await copy.follow())];
  for (const device of devices) {
    const shown = device.hasMoved() ? await device.show(products) : undefined;
    if (shown) faults.push(...faultsShown(device, shown, products, copy).map((fault) => `${device.name}: ${fault}`));
  }
  return faults;
}

/** What must hold once everybody has pushed and pulled, and people have decided what there was to decide. */
export async function faultsAtTheEnd(checked: Checked): Promise<readonly string[]> {
  const { shop, devices, products, copy } = checked;
  const faults = [...(await faultsNow(checked)), ...(await copy.readAgain()), ...faultsOfClaims(copy.events)];
  const differences = await shop.verify();
  if (differences.length > 0) faults.push(`I1: ${JSON.stringify(differences)}`);
  for (const id of products) {
    const [here, there] = [await shop.stock(id), copy.stockAt(id, copy.head)];
    if (here !== there) faults.push(`I1: ${id} has ${here} by its stock, ${there} by its events`);
  }
  for (const device of devices) {
    const found = [...(await faultsOfReplica(device, checked)), ...faultsOfRecorded(device, copy)];
    faults.push(...found.map((fault) => `${device.name}: ${fault}`));
  }
  return faults;
}

/** A replica is what the log was at its lamport (I7), and the device shows on top of that what it has recorded, once. */
function faultsShown(device: Device, shown: Shown, products: readonly string[], copy: LedgerCopy): readonly string[] {
  const { lamport, waiting, outbox, rejected, stocks } = shown;
  const faults: string[] = [];
  if (waiting !== outbox.length) faults.push(`counts ${waiting} entries that wait, and has ${outbox.length}`);
  const rejectedIds = new Set(rejected.map(({ body }) => 'operation_id' in body && body.operation_id));
  const waitingIds = new Set(outbox.map(({ body }) => 'operation_id' in body && body.operation_id));
  products.forEach((id, index) => {
    const stock = stocks[index] ?? { confirmed: 0, pending: 0, optimistic: 0 };
    const confirmed = copy.stockAt(id, lamport);
    if (stock.confirmed !== confirmed)
      faults.push(`I7: stock ${stock.confirmed} at ${lamport}, where it was ${confirmed}`);
    const pendingOnes = device.recorded
      .filter((one) => one.movement.productId === id)
      .filter((one) => !rejectedIds.has(one.id) && !device.discarded.has(one.id))
      .filter((one) => isPending(copy.eventOf(one.id), waitingIds.has(one.id), lamport));
    // What a count or a confirmation comes to depends on more than itself: they are looked at once they are in the log.
    if (pendingOnes.some(({ movement }) => movement.operation === 'SET' || movement.refOperationId)) return;
    // Of a product that it made itself it shows what it starts with, until the log has an event of it.
    if (!copy.events.some((event) => event.productId === id && event.lamport <= lamport)) return;
    const pending = pendingOnes.reduce((sum, { movement }) => sum + unitsOf(movement), 0);
    if (stock.pending !== pending) faults.push(`shows ${stock.pending} pending units, and has recorded ${pending}`);
  });
  for (const one of device.recorded) {
    const isSomewhere =
      rejectedIds.has(one.id) || waitingIds.has(one.id) || device.discarded.has(one.id) || copy.eventOf(one.id);
    if (!isSomewhere) faults.push(`I3: ${one.id} is lost`);
  }
  return faults;
}

/** Whether the device shows an operation's effect by itself: until it is told that there is none, or the replica has it. */
function isPending(event: RecordedEvent | undefined, isWaiting: boolean, lamport: number): boolean {
  if (event && event.lamport <= lamport) return false;
  return isWaiting || event?.disposition === 'APPLIED';
}

/** Each operation is in the log or was rejected, once, and the log has it as it was recorded. */
function faultsOfRecorded(device: Device, copy: LedgerCopy): readonly string[] {
  const faults: string[] = [];
  for (const one of device.recorded) {
    const event = copy.eventOf(one.id);
    if (event) faults.push(...faultsOfEvent(one, event, copy));
    if (one.group.some((id) => device.discarded.has(id))) continue;
    const isTogether = one.group.every((id) => copy.eventOf(id) === undefined) === (event === undefined);
    if (!isTogether) faults.push(`only a part of the sale of ${one.group.join()} is in the log`);
  }
  for (const { operationId, deviceId } of copy.events)
    if (deviceId === device.id && isOfDevice(operationId) && !device.issued.has(operationId))
      faults.push(`never recorded ${operationId}`);
  return faults;
}

function faultsOfEvent({ id, movement, baseMin, baseMax }: Recorded, event: RecordedEvent, copy: LedgerCopy): string[] {
  const faults: string[] = [];
  const { productId, operation, delta, reason, paymentStatus = null, refOperationId = null } = movement;
  const said = [productId, operation, delta, reason, paymentStatus, refOperationId];
  const heard = [event.productId, event.kind, event.delta, event.reason, event.paymentStatus, event.refOperationId];
  if (said.join() !== heard.join()) faults.push(`${id} was ${said.join()} and is ${heard.join()}`);
  const base = event.baseLamport ?? -1;
  if (base < baseMin || base > baseMax) faults.push(`${id} knew ${baseMin} to ${baseMax}, and says ${base}`);
  if (event.effect !== effectOf(movement, event, copy)) faults.push(`I1: ${id} has the effect ${event.effect}`);
  return faults;
}

/** What it must do to the stock there, by what was recorded alone; what refers to others is left to the server's own check. */
function effectOf(movement: StockMovement, event: RecordedEvent, copy: LedgerCopy): number {
  if (event.disposition !== 'APPLIED') return 0;
  if (movement.operation === 'SET') return movement.delta - copy.stockAt(movement.productId, event.lamport - 1);
  return movement.refOperationId ? event.effect : unitsOf(movement);
}

function unitsOf({ operation, delta }: StockMovement): number {
  return operation === 'INCREMENT' ? delta : -delta;
}

/** Everything that a device has of the server's is what the server has (I7), and nothing of its own is left. */
async function faultsOfReplica(device: Device, { copy, products }: Checked): Promise<readonly string[]> {
  const client = await device.running();
  const faults: string[] = [];
  const shown = await device.show(products);
  if (!shown) return ['does not start'];
  if (shown.lamport !== copy.head) faults.push(`I7: is at ${shown.lamport} of ${copy.head}`);
  if (shown.waiting !== 0) faults.push(`I3: ${shown.waiting} entries still wait`);
  for (const { code, body } of shown.rejected) {
    const id = 'operation_id' in body ? (body.operation_id ?? '') : '';
    if (code === 'REJECTED') faults.push(`I3: ${id} was rejected for no reason`);
    if (copy.eventOf(id)) faults.push(`I9: ${id} is in the log and rejected`);
  }
  for (const [index, stock] of shown.stocks.entries())
    if (stock && stock.pending !== 0) faults.push(`I7: ${stock.pending} units of product ${index} are still pending`);
  const here: LocalProduct[] = [];
  for await (const product of client.products()) here.push(product);
  const ours = here.map(({ id, name, price, version }) => [id, name, price, version]);
  const living = sorted(copy.products).filter(({ fields }) => !fields.isDeleted);
  const theirs = living.map(({ id, fields, version }) => [id, fields.name, fields.price, version]);
  if (ours.join(';') !== theirs.join(';')) faults.push(`I7: products ${ours.join(';')} and ${theirs.join(';')}`);
  const payments: LocalPayment[] = [];
  for await (const payment of client.payments()) payments.push(payment);
  // A snapshot has those alone that people have not decided on.
  const open = payments.filter(({ reconciliation_status: status }) => status === 'PENDING');
  const paid = open.map(({ id, amount, version }) => [id, amount, version]).join(';');
  const got = sorted(copy.payments)
    .filter(({ reconciliation }) => reconciliation.status === 'PENDING')
    .map(({ id, fields, version }) => [id, fields.amount, version])
    .join(';');
  if (paid !== got) faults.push(`I7: payments ${paid} and ${got}`);
  for await (const { id, status, lamport_ts } of client.conflicts()) {
    const there = copy.conflicts.get(id);
    if (there?.status !== status || there.lamport !== lamport_ts) faults.push(`I7: conflict ${id} is ${status}`);
  }
  return faults;
}

function sorted<T extends { readonly id: string }>(states: ReadonlyMap<string, T>): readonly T[] {
  return [...states.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}
