import { isUUID } from 'class-validator';
import type { Operation } from '../../inventory/domain/operation.js';
import { operationIdentity } from '../../inventory/domain/operation-identity.js';
import type { ProductEdit, ProductFields } from '../../inventory/domain/product.js';
import type { PaymentFields } from '../../payments/domain/payment.js';
import { type FieldError, ProblemError } from '../../problems/problem.js';
import { editIdentity } from '../../states/domain/edit-identity.js';
import type { KnownEdit } from '../../states/domain/merge.js';
import type { DevicePrincipal } from '../../tenancy/domain/principal.js';
import { readParsed } from '../../wire/read-wire.js';
import type { PushCommand, PushEntry } from '../domain/push-command.js';
import {
  type Accepted,
  type ConflictNote,
  type PushOutcome,
  type PushReceipt,
  type RecordedOutcome,
  type Rejected,
  REJECTIONS,
} from '../domain/push-outcome.js';
import {
  OperationDto,
  PaymentEditDto,
  ProductEditDto,
  PUSH_ENTRIES_MAX,
  type PushRequestDto,
  type PushResponseDto,
  type PushResultDto,
} from './push.dto.js';

/** The device that recorded what is pushed. */
type Recorder = Pick<DevicePrincipal, 'tenantId' | 'deviceId'>;

/**
 * Reads a push whose envelope is valid: each entry on its own, so that a malformed one rejects only itself.
 * @throws ProblemError VALIDATION if it has no entries or too many in all, DEVICE_MISMATCH if it names another device.
 */
export function toPushCommand(device: Recorder, body: PushRequestDto): PushCommand {
  const { operations, products, payments } = listsOf(body);
  const count = operations.length + products.length + payments.length;
  if (count === 0 || count > PUSH_ENTRIES_MAX) {
    const message = `must be from 1 to ${PUSH_ENTRIES_MAX} with products and payments together`;
    throw new ProblemError('VALIDATION', { errors: [{ path: 'operations', code: 'ENTRY_COUNT', message }] });
  }
  if (body.device_id.toLowerCase() !== device.deviceId) throw new ProblemError('DEVICE_MISMATCH');
  return {
    tenantId: device.tenantId,
    deviceId: device.deviceId,
    clientLamport: body.client_lamport + 0,
    sentAt: instant(body.sent_at),
    entries: [
      ...operations.map(toOperationEntry),
      ...products.map((entry, index) => toProductEntry(device, entry, index)),
      ...payments.map((entry, index) => toPaymentEntry(device, entry, index)),
    ],
  };
}

/**
 * Reads what the device `deviceId` recorded and another brings. When it was sent is when the file was written, and says
 * nothing of how far the device's wall clock is off.
 * @throws ProblemError as `toPushCommand`.
 */
export function toImportCommand(tenantId: string, deviceId: string, body: PushRequestDto): PushCommand {
  return { ...toPushCommand({ tenantId, deviceId }, body), sentAt: null };
}

function listsOf(body: PushRequestDto): Record<'operations' | 'products' | 'payments', readonly unknown[]> {
  return { operations: body.operations ?? [], products: body.products ?? [], payments: body.payments ?? [] };
}

function toOperationEntry(input: unknown, index: number): PushEntry {
  const path = `operations[${index}]`;
  const reading = readParsed(OperationDto, input, path);
  if (!reading.ok) return malformed('OPERATION', path, input, reading.errors);
  const { value } = reading;
  const fault = faultAcrossFields(value, path);
  if (fault) return malformed('OPERATION', path, input, [fault]);
  const operation = toOperation(value);
  const tenantId = value.tenant_id.toLowerCase();
  return { what: 'OPERATION', readable: true, path, tenantId, groupId: operation.groupId, operation };
}

/** The rules that span two fields. */
function faultAcrossFields(
  { operation, delta, reason, ref_operation_id }: OperationDto,
  path: string,
): FieldError | null {
  if (delta === 0 && operation !== 'SET') {
    return { path: `${path}.delta`, code: 'MIN', message: `must be at least 1 for ${operation}` };
  }
  if (reason === 'CANCEL' && ref_operation_id != null && operation !== 'INCREMENT') {
    return { path: `${path}.operation`, code: 'IS_IN', message: 'must be INCREMENT to cancel another operation' };
  }
  return null;
}

function toProductEntry(device: Recorder, input: unknown, index: number): PushEntry {
  const path = `products[${index}]`;
  const reading = readParsed(ProductEditDto, input, path);
  if (!reading.ok) return malformed('PRODUCT', path, input, reading.errors);
  const { value } = reading;
  const said: Partial<ProductFields> = {
    ...(value.name != null && { name: value.name }),
    ...(value.description !== undefined && { description: text(value.description) }),
    ...(value.price !== undefined && { price: number(value.price) }),
    ...(value.sku !== undefined && { sku: text(value.sku) }),
    ...(value.category !== undefined && { category: text(value.category) }),
    ...(value.reorder_point !== undefined && { reorderPoint: number(value.reorder_point) }),
    ...(value.is_deleted != null && { isDeleted: value.is_deleted }),
  };
  const edit = { ...editOf(device, value), said };
  const besides = { currentStock: number(value.current_stock), updatedBy: uuid(value.updated_by) };
  return {
    ...{ what: 'PRODUCT', readable: true, path, tenantId: uuid(value.tenant_id), groupId: uuid(value.group_id) },
    edit: { ...edit, ...besides, editId: editIdentity(device.tenantId, 'PRODUCT', edit, besides) },
  };
}

function toPaymentEntry(device: Recorder, input: unknown, index: number): PushEntry {
  const path = `payments[${index}]`;
  const reading = readParsed(PaymentEditDto, input, path);
  if (!reading.ok) return malformed('PAYMENT', path, input, reading.errors);
  const { value } = reading;
  const said: Partial<PaymentFields> = {
    ...(value.sale_id != null && { saleId: value.sale_id.toLowerCase() }),
    ...(value.amount != null && { amount: value.amount + 0 }),
    ...(value.payment_method != null && { paymentMethod: value.payment_method }),
    ...(value.pos_transaction_id !== undefined && { posTransactionId: text(value.pos_transaction_id) }),
    ...(value.pos_device_id !== undefined && { posDeviceId: text(value.pos_device_id) }),
    ...(value.receipt_photo !== undefined && { receiptPhoto: text(value.receipt_photo) }),
    ...(value.notes !== undefined && { notes: text(value.notes) }),
  };
  const edit = { ...editOf(device, value), said };
  const besides = { updatedBy: uuid(value.updated_by) };
  return {
    ...{ what: 'PAYMENT', readable: true, path, tenantId: uuid(value.tenant_id), groupId: uuid(value.group_id) },
    edit: { ...edit, ...besides, editId: editIdentity(device.tenantId, 'PAYMENT', edit, besides) },
  };
}

function editOf(
  device: Recorder,
  value: ProductEditDto | PaymentEditDto,
): Pick<ProductEdit, 'id' | 'deviceId' | 'clientLamport' | 'baseVersion'> {
  return {
    id: value.id.toLowerCase(),
    deviceId: uuid(value.device_id) ?? device.deviceId,
    clientLamport: value.lamport_ts + 0,
    baseVersion: number(value.version),
  };
}

function malformed(what: PushEntry['what'], path: string, input: unknown, errors: readonly FieldError[]): PushEntry {
  const id = uuidIn(input, what === 'OPERATION' ? 'operation_id' : 'id');
  return { what, readable: false, path, id, groupId: uuidIn(input, 'group_id'), errors };
}

function toOperation(dto: OperationDto): Operation {
  // All at once: V8 makes a new hidden class for each object of so many fields that is put together from another.
  const operation = {
    operationId: '',
    productId: dto.product_id.toLowerCase(),
    deviceId: dto.device_id.toLowerCase(),
    deviceType: dto.device_type,
    kind: dto.operation,
    delta: dto.delta + 0,
    reason: dto.reason,
    paymentStatus: dto.payment_status ?? null,
    amount: number(dto.amount),
    locationLat: number(dto.location_lat),
    locationLng: number(dto.location_lng),
    clientLamport: dto.lamport_ts + 0, // minus zero is zero, as below
    baseLamport: number(dto.base_lamport),
    version: number(dto.version),
    groupId: uuid(dto.group_id),
    refOperationId: uuid(dto.ref_operation_id),
    expiresAt: instant(dto.expires_at),
    createdAt: instant(dto.created_at),
    createdBy: dto.created_by.toLowerCase(),
    updatedBy: uuid(dto.updated_by),
  };
  const claim = { operationId: uuid(dto.operation_id), operationHash: dto.operation_hash?.toLowerCase() ?? null };
  operation.operationId = operationIdentity(dto.tenant_id.toLowerCase(), claim, operation);
  return operation;
}

const uuid = (text: string | null | undefined): string | null => text?.toLowerCase() ?? null;

/** Minus zero is zero, in the log and in its hash. */
const number = (value: number | null | undefined): number | null => (value == null ? null : value + 0);

/** Nothing written is nothing said: a form sends the empty text for a field left blank. */
const text = (value: string | null): string | null => (value === null || value.trim() === '' ? null : value);

/** One text for one instant, whatever offset and precision the device wrote: to the millisecond, in UTC. */
const instant = (text: string | null | undefined): string | null =>
  text == null || isInThatForm(text) ? (text ?? null) : new Date(text).toISOString();

/** Of a valid time: 2026-03-01T09:30:00.000Z, as most devices write it. */
const isInThatForm = (time: string): boolean => time.length === 24 && time[19] === '.' && time[23] === 'Z';

function uuidIn(input: unknown, name: string): string | null {
  if (typeof input !== 'object' || input === null || !Object.hasOwn(input, name)) return null;
  const value = (input as Record<string, unknown>)[name];
  return typeof value === 'string' && isUUID(value, 'loose') ? value.toLowerCase() : null;
}

export function toPushResponse(body: PushRequestDto, receipt: PushReceipt): PushResponseDto {
  const operationCount = listsOf(body).operations.length;
  return {
    results: receipt.outcomes.map((outcome, index) => toResult(outcome, index < operationCount)),
    server_lamport: receipt.serverLamport,
    epoch: receipt.epoch,
    timestamp: receipt.at.toISOString(),
  };
}

function toResult(outcome: PushOutcome, isOperation: boolean): PushResultDto {
  if (outcome.status === 'accepted' && isOperation && outcome.conflict === undefined) {
    // As nearly all of them: at once, since to spread what there may be besides takes longer than to decide on it.
    return {
      operation_id: outcome.id,
      status: 'accepted',
      server_lamport: outcome.lamport,
      warnings: outcome.warnings,
      message: acceptanceMessage(outcome),
    };
  }
  return { ...(isOperation ? { operation_id: outcome.id } : { id: outcome.id }), ...toFate(outcome) };
}

function toFate(outcome: PushOutcome): Omit<PushResultDto, 'operation_id' | 'id'> {
  switch (outcome.status) {
    case 'accepted':
      return {
        status: 'accepted',
        server_lamport: outcome.lamport,
        ...(outcome.version !== undefined && { version: outcome.version }),
        ...(outcome.conflict && toConflictNote(outcome.conflict)),
        warnings: outcome.warnings,
        message: acceptanceMessage(outcome),
      };
    case 'conflict':
      return {
        status: 'conflict',
        server_lamport: outcome.lamport,
        ...toConflictNote(outcome.conflict),
        warnings: outcome.warnings,
        message: `Kept, and entered into the conflict log. ${outcome.conflict.reason}`,
      };
    case 'ignored':
      return {
        status: 'ignored',
        server_lamport: outcome.lamport,
        version: outcome.version,
        warnings: outcome.warnings,
        ...(outcome.conflict && toConflictNote(outcome.conflict)),
        message: `What stands since lamport ${outcome.lamport} is newer${outcome.conflict ? '; the edit is kept in the conflict log' : ''}.`,
      };
    case 'duplicate':
      return {
        status: 'duplicate',
        server_lamport: outcome.original.lamport,
        original: toOriginal(outcome.original),
        ...(outcome.conflict && toConflictNote(outcome.conflict)),
        message: `Known since lamport ${outcome.original.lamport}; nothing was recorded again.`,
      };
    case 'rejected':
      return {
        status: 'rejected',
        server_lamport: null,
        code: outcome.code,
        ...(outcome.available !== undefined && { suggestion: { available: outcome.available } }),
        ...(outcome.errors && { errors: [...outcome.errors] }),
        message: rejectionMessage(outcome),
      };
  }
}

function acceptanceMessage({ lamport }: Accepted): string {
  return `Recorded at lamport ${lamport}.`;
}

function toConflictNote(note: ConflictNote): Pick<PushResultDto, 'conflict_id' | 'resolution'> {
  return {
    conflict_id: note.id,
    resolution: {
      method: note.method,
      reason: note.reason,
      confidence: note.confidence,
      requires_approval: note.method === null,
      winner_id: note.winnerId,
    },
  };
}

function toOriginal(original: RecordedOutcome | KnownEdit): NonNullable<PushResultDto['original']> {
  if ('version' in original) {
    return { status: 'accepted', server_lamport: original.lamport, version: original.version };
  }
  return {
    status: original.disposition === 'APPLIED' ? 'accepted' : 'conflict',
    server_lamport: original.lamport,
    effect: original.effect,
    stock_after: original.stockAfter,
    disposition: original.disposition,
  };
}

function rejectionMessage(outcome: Rejected): string {
  const [error] = outcome.errors ?? [];
  return error ? `${error.path} ${error.message}.` : REJECTIONS[outcome.code];
}
