import { contentHash } from '../../inventory/domain/hash-chain.js';
import { type Movement, move } from '../../inventory/domain/ledger.js';
import { openingBalance } from '../../inventory/domain/opening-balance.js';
import { decideProductEdit } from '../../inventory/domain/product-edit.js';
import type { ProductFields } from '../../inventory/domain/product.js';
import type { EventContent } from '../../inventory/domain/stock-event.js';
import { clockSkewWarning } from './clock-skew.js';
import { ignored, keepWhatIsLost, missing } from './edit-outcome.js';
import { type LogWriter, noteOf } from './log-writer.js';
import type { ProductEntry } from './push-command.js';
import type { PushContext } from './push-context.js';
import type { PushOutcome, Rejected, RejectionCode, Warning } from './push-outcome.js';

/** Records what a device says of a product, or says why it can't be and changes nothing (I9). */
export function recordProduct(
  { edit, path }: ProductEntry,
  tenantId: string,
  log: LogWriter,
  context: PushContext,
): PushOutcome {
  const { id, editId, clientLamport } = edit;
  const original = log.edit(editId);
  if (original) return { status: 'duplicate', id, original };
  const current = log.product(id);
  const before = log.dispute('EDIT', editId);
  // Stock changes through operations only, once the product is there.
  const stockIgnored: readonly Warning[] = edit.currentStock === null ? [] : ['STOCK_IGNORED'];
  if (current && before) return ignored(current, noteOf(before), stockIgnored); // as the first time: it made no version
  if (log.isOutOfRange(clientLamport)) return reject(id, 'LAMPORT_OUT_OF_RANGE');

  const decided = decideProductEdit(current, edit, log.baseOf('PRODUCT', edit));
  switch (decided.verdict) {
    case 'REJECT':
      return decided.code === 'VALIDATION'
        ? missing(id, 'product', `${path}.${decided.missing}`)
        : reject(id, decided.code);
    case 'IGNORE': {
      if (!current) throw new Error('Only what stands makes an edit stale');
      const conflict = keepWhatIsLost('PRODUCT', current, edit, decided.merge, log);
      return ignored(current, conflict, stockIgnored);
    }
    case 'WRITE': {
      const { fields } = decided.merge;
      if (isSkuTaken(id, fields, log)) return reject(id, 'SKU_TAKEN');
      const opening = current || fields.isDeleted ? null : openingOf(edit, log);
      if (opening && !opening.movement.ok) return reject(id, opening.movement.code);

      const product = log.writeProduct(current, edit, decided.merge);
      if (opening?.movement.ok) {
        log.appendOperation(opening.content, contentHash(tenantId, opening.content), opening.movement);
      }
      const conflict = keepWhatIsLost('PRODUCT', current, edit, decided.merge, log);
      return {
        status: 'accepted',
        id,
        lamport: product.lamport,
        version: product.version,
        warnings: [...(opening ? [] : stockIgnored), ...clockSkewWarning(context)],
        ...(conflict && { conflict }),
      };
    }
  }
}

/** What was there before, if the device says it and nobody has said it yet. */
function openingOf(
  edit: ProductEntry['edit'],
  log: LogWriter,
): { readonly content: EventContent & { readonly kind: 'INCREMENT' }; readonly movement: Movement } | null {
  if (edit.currentStock === null) return null;
  const content = openingBalance(edit, edit.currentStock);
  if (log.operation(content.operationId)) return null;
  return { content, movement: move(log.levelOf(edit.id), content) };
}

function isSkuTaken(id: string, { sku, isDeleted }: ProductFields, log: LogWriter): boolean {
  if (sku === null || isDeleted) return false;
  const holder = log.skuHolder(sku);
  return holder !== undefined && holder !== id;
}

function reject(id: string, code: RejectionCode): Rejected {
  return { status: 'rejected', id, code };
}
