import { SERVER_ID } from '../../src/inventory/domain/stock-event.js';
import { type Device, isOfDevice } from './device.js';
import type { Sent } from './network.js';
import type { Answer } from './servers.js';

/** Of what a pull answers, what is looked at here. */
interface Page {
  readonly operations: readonly {
    readonly operation_id: string;
    readonly device_id: string;
    readonly lamport_ts: number;
  }[];
  readonly products: readonly { readonly device_id: string; readonly lamport_ts: number }[];
  readonly payments: readonly { readonly device_id: string; readonly lamport_ts: number }[];
  readonly conflicts: readonly { readonly lamport_ts: number }[];
  readonly next_lamport: number;
  readonly server_lamport: number;
  readonly has_more: boolean;
}

/** What can't be right about an answer, whatever becomes of it: I4, I6. */
export function faultsOfAnswer({ path, body }: Sent, answer: Answer, colleagues: readonly Device[]): readonly string[] {
  if (answer.status >= 500 && answer.status !== 503) return [`${path} was answered ${answer.status}: ${answer.body}`];
  if (path !== '/sync/pull' || answer.status !== 200) return [];
  return faultsOfPage(
    (JSON.parse(body) as { last_lamport: number }).last_lamport,
    JSON.parse(answer.body) as Page,
    colleagues,
  );
}

function faultsOfPage(cursor: number, page: Page, colleagues: readonly Device[]): readonly string[] {
  const { operations, products, payments, conflicts, next_lamport: next, server_lamport: head } = page;
  const faults: string[] = [];
  let last = cursor;
  for (const { lamport_ts: lamport } of operations) {
    if (lamport <= last || lamport > next)
      faults.push(`I4: ${lamport} follows ${last} in a page from ${cursor} to ${next}`);
    last = lamport;
  }
  for (const { lamport_ts: lamport } of [...products, ...payments, ...conflicts])
    if (lamport <= cursor || lamport > next) faults.push(`I4: ${lamport} is in a page from ${cursor} to ${next}`);
  if (next > head || next < cursor || page.has_more !== next < head)
    faults.push(`I4: a page from ${cursor} to ${next} of ${head}, and ${page.has_more ? 'more' : 'no more'}`);
  const known = new Set([SERVER_ID, ...colleagues.map(({ id }) => id)]);
  for (const { device_id: device } of [...operations, ...products, ...payments])
    if (!known.has(device)) faults.push(`I6: an entry of the strange device ${device}`);
  for (const { operation_id: id } of operations)
    if (isOfDevice(id) && !colleagues.some(({ issued }) => issued.has(id)))
      faults.push(`I6: the strange operation ${id}`);
  return faults;
}
