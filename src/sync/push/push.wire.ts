import { isUUID } from 'class-validator';
import type { Operation } from '../../inventory/domain/operation.js';
import { operationIdentity } from '../../inventory/domain/operation-identity.js';
import { type FieldError, ProblemError } from '../../problems/problem.js';
import type { DevicePrincipal } from '../../tenancy/domain/principal.js';
import { readWire } from '../../wire/read-wire.js';
import type { PushCommand, PushEntry } from '../domain/push-command.js';
import {
  type PushOutcome,
  type PushReceipt,
  type RecordedOutcome,
  type Rejected,
  REJECTIONS,
} from '../domain/push-outcome.js';
import {
  OperationDto,
  PUSH_ENTRIES_MAX,
  type PushRequestDto,
  type PushResponseDto,
  type PushResultDto,
} from './push.dto.js';

/**
 * Reads a push whose envelope is valid: each entry on its own, so that a malformed one rejects only itself.
 * @throws ProblemError VALIDATION if it has no entries or too many in all, DEVICE_MISMATCH if it names another device.
 */
export function toPushCommand(device: DevicePrincipal, body: PushRequestDto): PushCommand {
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
    clientLamport: body.client_lamport,
    sentAt: instant(body.sent_at),
    entries: [
      ...operations.map(toEntry),
      ...products.map((entry, index) => notTakenYet(entry, `products[${index}]`)),
      ...payments.map((entry, index) => notTakenYet(entry, `payments[${index}]`)),
    ],
  };
}

function listsOf(body: PushRequestDto): Record<'operations' | 'products' | 'payments', readonly unknown[]> {
  return { operations: body.operations ?? [], products: body.products ?? [], payments: body.payments ?? [] };
}

function toEntry(input: unknown, index: number): PushEntry {
  const path = `operations[${index}]`;
  const reading = readWire(OperationDto, input, path);
  if (!reading.ok) return malformed(input, reading.errors);
  const { value } = reading;
  // The one rule that spans two fields.
  if (value.delta === 0 && value.operation !== 'SET') {
    return malformed(input, [
      { path: `${path}.delta`, code: 'MIN', message: `must be at least 1 for ${value.operation}` },
    ]);
  }
  return { readable: true, tenantId: value.tenant_id.toLowerCase(), operation: toOperation(value) };
}

function malformed(input: unknown, errors: readonly FieldError[]): PushEntry {
  return { readable: false, id: uuidIn(input, 'operation_id'), groupId: uuidIn(input, 'group_id'), errors };
}

/** Refused as an entry, so that a client that sends it keeps it, and its sales still land. */
function notTakenYet(input: unknown, path: string): PushEntry {
  const message = 'can not be taken: this version of the service takes operations only';
  return {
    readable: false,
    id: uuidIn(input, 'id'),
    groupId: uuidIn(input, 'group_id'),
    errors: [{ path, code: 'UNSUPPORTED', message }],
  };
}

function toOperation(dto: OperationDto): Operation {
  const fields = {
    productId: dto.product_id.toLowerCase(),
    deviceId: dto.device_id.toLowerCase(),
    deviceType: dto.device_type,
    kind: dto.operation,
    delta: dto.delta,
    reason: dto.reason,
    paymentStatus: dto.payment_status ?? null,
    amount: number(dto.amount),
    locationLat: number(dto.location_lat),
    locationLng: number(dto.location_lng),
    clientLamport: dto.lamport_ts,
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
  return { operationId: operationIdentity(dto.tenant_id.toLowerCase(), claim, fields), ...fields };
}

const uuid = (text: string | null | undefined): string | null => text?.toLowerCase() ?? null;

/** Minus zero is zero, in the log and in its hash. */
const number = (value: number | null | undefined): number | null => (value == null ? null : value + 0);

/** One text for one instant, whatever offset and precision the device wrote: to the millisecond, in UTC. */
const instant = (text: string | null | undefined): string | null =>
  text == null ? null : new Date(text).toISOString();

function uuidIn(input: unknown, name: string): string | null {
  if (typeof input !== 'object' || input === null || !Object.hasOwn(input, name)) return null;
  const value = (input as Record<string, unknown>)[name];
  return typeof value === 'string' && isUUID(value, 'loose') ? value.toLowerCase() : null;
}

export function toPushResponse(body: PushRequestDto, receipt: PushReceipt): PushResponseDto {
  const operationCount = listsOf(body).operations.length;
  return {
    results: receipt.outcomes.map((outcome, index) => ({
      ...(index < operationCount ? { operation_id: outcome.id } : { id: outcome.id }),
      ...toResult(outcome),
    })),
    server_lamport: receipt.serverLamport,
    epoch: receipt.epoch,
    timestamp: receipt.at.toISOString(),
  };
}

function toResult(outcome: PushOutcome): PushResultDto {
  switch (outcome.status) {
    case 'accepted':
      return {
        status: 'accepted',
        server_lamport: outcome.lamport,
        warnings: [...outcome.warnings],
        message: `Recorded at lamport ${outcome.lamport}.`,
      };
    case 'duplicate':
      return {
        status: 'duplicate',
        server_lamport: outcome.original.lamport,
        original: toOriginal(outcome.original),
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

function toOriginal(original: RecordedOutcome): NonNullable<PushResultDto['original']> {
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
