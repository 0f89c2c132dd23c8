import { duplicatePayment } from '../../conflicts/domain/state-conflicts.js';
import { decidePaymentEdit } from '../../payments/domain/payment-edit.js';
import { type Payment, type PaymentFields } from '../../payments/domain/payment.js';
import type { Fields } from '../../states/domain/state.js';
import { clockSkewWarning } from './clock-skew.js';
import { ignored, keepWhatIsLost, missing } from './edit-outcome.js';
import { type LogWriter, noteOf } from './log-writer.js';
import type { PaymentEntry } from './push-command.js';
import type { PushContext } from './push-context.js';
import type { PushOutcome } from './push-outcome.js';

/** Field names as the wire writes them, for the errors of what only the log can tell to be missing. */
const WIRE_NAMES = { saleId: 'sale_id', amount: 'amount', paymentMethod: 'payment_method' } as const;

/** Records what a device says of a payment, or says why it can't be and changes nothing (I9). */
export function recordPayment({ edit, path }: PaymentEntry, log: LogWriter, context: PushContext): PushOutcome {
  const { id, editId, clientLamport } = edit;
  const original = log.edit(editId);
  if (original) return { status: 'duplicate', id, original };
  const current = log.payment(id);
  const before = log.dispute('EDIT', editId);
  if (before?.kind === 'DUPLICATE_PAYMENT') {
    return { status: 'conflict', id, lamport: before.detectedLamport, warnings: [], conflict: noteOf(before) };
  }
  if (current && before) return ignored(current, noteOf(before)); // as the first time: it made no version
  if (log.isOutOfRange(clientLamport)) return { status: 'rejected', id, code: 'LAMPORT_OUT_OF_RANGE' };

  const decided = decidePaymentEdit(current, edit, log.baseOf('PAYMENT', edit));
  switch (decided.verdict) {
    case 'REJECT':
      return missing(id, 'payment', `${path}.${WIRE_NAMES[decided.missing]}`);
    case 'IGNORE': {
      if (!current) throw new Error('Only what stands makes an edit stale');
      const conflict = keepWhatIsLost('PAYMENT', current, edit, decided.merge, log);
      return ignored(current, conflict);
    }
    case 'WRITE': {
      const { fields } = decided.merge;
      const first = rivalOf(id, current, fields, log);
      if (first) {
        const conflict = log.addConflict(duplicatePayment(edit, fields as unknown as Fields, first));
        return {
          status: 'conflict',
          id,
          lamport: conflict.lamport,
          warnings: clockSkewWarning(context),
          conflict: noteOf(conflict),
        };
      }
      const payment = log.writePayment(current, edit, decided.merge);
      const conflict = keepWhatIsLost('PAYMENT', current, edit, decided.merge, log);
      return {
        status: 'accepted',
        id,
        lamport: payment.lamport,
        version: payment.version,
        warnings: clockSkewWarning(context),
        ...(conflict && { conflict }),
      };
    }
  }
}

/** The payment that has the POS transaction which this one would newly have. */
function rivalOf(
  id: string,
  current: Payment | undefined,
  { posTransactionId }: PaymentFields,
  log: LogWriter,
): Payment | undefined {
  if (posTransactionId === null || posTransactionId === current?.fields.posTransactionId) return undefined;
  const holder = log.posHolder(posTransactionId);
  return holder?.id === id ? undefined : holder;
}
