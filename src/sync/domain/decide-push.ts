import { contentHash } from '../../inventory/domain/hash-chain.js';
import { LogWriter, type PushWrites } from './log-writer.js';
import type { OperationEntry, PaymentEntry, ProductEntry, PushCommand, PushEntry } from './push-command.js';
import type { LogState, PushContext } from './push-context.js';
import type { PushOutcome, Rejected, RejectionCode } from './push-outcome.js';
import { recordOperation } from './record-operation.js';
import { recordPayment } from './record-payment.js';
import { recordProduct } from './record-product.js';

/** What to write, and what to answer: `outcomes[i]` is that of `command.entries[i]`. */
export interface PushPlan extends PushWrites {
  readonly outcomes: readonly PushOutcome[];
  /** What of the context is otherwise after it. */
  readonly changes: LogState;
}

/** Products first, so that the operations of the same push know them. */
const PROCESSING_ORDER = ['PRODUCT', 'PAYMENT', 'OPERATION'] as const;

/** @returns indexes of its entries */
function processingOrder({ entries }: PushCommand): number[] {
  const order: number[] = [];
  for (const kind of PROCESSING_ORDER) {
    for (const [index, { what }] of entries.entries()) if (what === kind) order.push(index);
  }
  return order;
}

/**
 * Decides a push: which entries are recorded, in which order, and what each leaves. Pure, so the same pushes in the same
 * order give the same log (I8).
 *
 * In one pass. A group stands or falls as a whole, so it is decided as a whole, where its first line stands: all its
 * lines are written, and if one is refused, they are all taken back before anything else sees them (ADR 0007).
 */
export function decidePush(command: PushCommand, context: PushContext): PushPlan {
  const entries = command.entries.map((entry) => examine(entry, command));
  const order = processingOrder(command);
  const linesOf = new Map<string, number[]>();
  for (const index of order) {
    const groupId = entries[index]?.groupId ?? null;
    if (groupId === null) continue;
    const lines = linesOf.get(groupId);
    if (lines) lines.push(index);
    else linesOf.set(groupId, [index]);
  }
  const log = new LogWriter(command.tenantId, context, command.clientLamport);
  const outcomes: PushOutcome[] = [];
  for (const index of order) {
    const entry = entries[index];
    if (!entry || outcomes[index]) continue; // with the first line of its group
    if (entry.groupId === null) outcomes[index] = decide(entry, log, command, context);
    else decideGroup(linesOf.get(entry.groupId) ?? [], entries, log, command, context, outcomes);
  }
  return { outcomes, ...log.writes(), changes: log.changes() };
}

/** An entry with all that can be said of it without looking at the log. */
type ExaminedEntry =
  | { readonly refusal: Rejected; readonly groupId: string | null }
  | {
      readonly refusal: null;
      readonly groupId: string | null;
      readonly entry: ReadableEntry;
      readonly hash: Uint8Array;
    };

type ReadableEntry = OperationEntry | ProductEntry | PaymentEntry;
const UNHASHED = new Uint8Array();

function examine(entry: PushEntry, command: PushCommand): ExaminedEntry {
  const { groupId } = entry;
  if (!entry.readable) {
    return { refusal: { status: 'rejected', id: entry.id, code: 'VALIDATION', errors: entry.errors }, groupId };
  }
  const said =
    entry.what === 'OPERATION'
      ? { id: entry.operation.operationId, deviceId: entry.operation.deviceId }
      : { id: entry.edit.id, deviceId: entry.edit.deviceId };
  const refuse = (code: RejectionCode): ExaminedEntry => ({
    refusal: { status: 'rejected', id: said.id, code },
    groupId,
  });
  if (entry.tenantId !== null && entry.tenantId !== command.tenantId) return refuse('TENANT_MISMATCH');
  if (said.deviceId !== command.deviceId) return refuse('DEVICE_MISMATCH');
  const hash = entry.what === 'OPERATION' ? contentHash(command.tenantId, entry.operation) : UNHASHED;
  return { refusal: null, groupId, entry, hash };
}

function decide(examined: ExaminedEntry, log: LogWriter, command: PushCommand, context: PushContext): PushOutcome {
  if (examined.refusal) return examined.refusal;
  const { entry, hash } = examined;
  switch (entry.what) {
    case 'OPERATION':
      return recordOperation(entry.operation, hash, log, context);
    case 'PRODUCT':
      return recordProduct(entry, command.tenantId, log, context);
    case 'PAYMENT':
      return recordPayment(entry, log, context);
  }
}

/** Decides the lines at `indexes` together, and puts their outcomes where they belong. */
function decideGroup(
  indexes: readonly number[],
  entries: readonly ExaminedEntry[],
  log: LogWriter,
  command: PushCommand,
  context: PushContext,
  outcomes: PushOutcome[],
): void {
  const before = log.savepoint();
  let fallen = false;
  for (const index of indexes) {
    const entry = entries[index];
    if (entry) outcomes[index] = decide(entry, log, command, context);
    fallen ||= outcomes[index]?.status === 'rejected';
  }
  if (!fallen) return;
  log.rollBack(before);
  let logRefused = false;
  for (const index of indexes) {
    const outcome = outcomes[index];
    if (outcome?.status === 'rejected') {
      if (entries[index]?.refusal || !REFUSALS_OF_THE_LOG.has(outcome.code)) continue;
      // Of the lines that what was left refused only the first says so: with it the group has fallen, whatever the
      // others lack.
      if (!logRefused) {
        logRefused = true;
        continue;
      }
    }
    const entry = entries[index];
    // In the log from before: that stays so, whatever becomes of the group.
    if (outcome && outcome.status !== 'rejected' && entry && !entry.refusal && stoodBefore(entry.entry, log)) continue;
    if (outcome) outcomes[index] = { status: 'rejected', id: outcome.id, code: 'GROUP_REJECTED' };
  }
}

const REFUSALS_OF_THE_LOG: ReadonlySet<RejectionCode> = new Set([
  'VALIDATION', // of what a new product or payment lacks
  'PRODUCT_DELETED',
  'SKU_TAKEN',
  'UNKNOWN_REFERENCE',
  'INSUFFICIENT_STOCK',
  'QUANTITY_OUT_OF_RANGE',
]);

function stoodBefore(entry: ReadableEntry, log: LogWriter): boolean {
  return entry.what === 'OPERATION'
    ? log.operation(entry.operation.operationId) !== undefined
    : (log.edit(entry.edit.editId) ?? log.dispute('EDIT', entry.edit.editId)) !== undefined;
}
