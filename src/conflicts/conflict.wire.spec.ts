import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '../problems/problem.js';
import { SERVER_ID } from '../tenancy/domain/device.js';
import { toConflictDetailWire, toConflictFilter, toConflictWire, toDetectionSpan } from './conflict.wire.js';
import type { RecordedConflict } from './domain/conflict.js';

const A = '99999999-0000-4000-8000-00000000000a';
const B = '99999999-0000-4000-8000-00000000000b';
const TILL = '99999999-0000-4000-8000-000000000001';
const USER = '99999999-0000-4000-8000-000000000002';
const NOON = new Date('2026-03-01T12:00:00Z');

const pending: RecordedConflict = {
  id: '99999999-0000-4000-8000-000000000003',
  kind: 'OVERSELL',
  status: 'PENDING',
  awaits: 'PERSON',
  entity: 'STOCK',
  entityId: '99999999-0000-4000-8000-000000000004',
  fields: [],
  a: { id: A, deviceId: TILL, payload: { kind: 'DECREMENT', refOperationId: null, lamport: 9 } },
  b: { id: B, deviceId: SERVER_ID, payload: { kind: 'SET', clientLamport: 0 } },
  stockThen: 3,
  resolution: null,
  suggestion: { verdict: 'B', confidence: 0.7, reason: 'Earlier.', reasons: ['Earlier.', 'Better informed.'] },
  decisions: [
    {
      tier: 'HEURISTIC',
      name: 'earlier-lamport',
      answer: { verdict: 'B', confidence: 0.7, reason: 'Earlier.' },
      at: NOON,
    },
    { tier: 'HEURISTIC', name: 'same-device', answer: null, at: NOON },
  ],
  lamport: 11,
  detectedLamport: 10,
  detectedAt: NOON,
  resolvedAt: null,
};

describe('toConflictWire', () => {
  it('tells of a conflict that waits whose turn it is, and what is suggested', () => {
    const wire = toConflictWire(pending);
    expect(wire).toMatchObject({ status: 'PENDING', awaits: 'PERSON', verdict: null, winner_id: null, stock_then: 3 });
    expect(wire.suggestion).toEqual({
      ...{ verdict: 'B', winner_id: B, confidence: 0.7, reason: 'Earlier.', reasons: ['Earlier.', 'Better informed.'] },
    });
    expect(wire).not.toHaveProperty('decisions');
  });

  it('names payload fields as the wire does', () => {
    expect(toConflictWire(pending).a.payload).toEqual({
      operation: 'DECREMENT',
      ref_operation_id: null,
      lamport_ts: 9,
    });
    expect(toConflictWire({ ...pending, fields: ['posTransactionId'] }).fields).toEqual(['pos_transaction_id']);
  });

  it('tells of one that is settled who did it, how and what they said', () => {
    const judgement = { verdict: 'A', confidence: 1, reason: 'A person decided.' } as const;
    const wire = toConflictWire({
      ...{ ...pending, status: 'RESOLVED_MANUAL', awaits: null, resolvedAt: new Date(NOON.valueOf() + 1) },
      resolution: { method: 'MANUAL', ...judgement, winnerId: A, resolvedBy: USER, feedback: 'Asked Ana' },
    });
    expect(wire).toMatchObject({
      ...{ status: 'RESOLVED_MANUAL', awaits: null, verdict: 'A', winner_id: A, resolution_method: 'MANUAL' },
      ...{ resolution_reason: 'A person decided.', confidence: 1, resolved_by: USER, user_feedback: 'Asked Ana' },
      ...{ resolved_at: '2026-03-01T12:00:00.001Z' },
    });
  });

  it('suggests no winner where both or neither would stand', () => {
    const suggestion = { verdict: 'BOTH', confidence: 0.5, reason: '', reasons: [] } as const;
    expect(toConflictWire({ ...pending, suggestion }).suggestion?.winner_id).toBeNull();
    expect(toConflictWire({ ...pending, suggestion: null }).suggestion).toBeNull();
  });
});

describe('toConflictDetailWire', () => {
  const devices = new Map([[TILL, { name: 'Till 1', deviceType: 'DESKTOP' }]] as const);

  it('adds all who were asked, an unanswered one with null, and what is in stock', () => {
    const wire = toConflictDetailWire({ conflict: pending, devices, stockNow: -2 });
    const at = '2026-03-01T12:00:00.000Z';
    expect(wire.decisions).toEqual([
      { tier: 'HEURISTIC', name: 'earlier-lamport', verdict: 'B', confidence: 0.7, reason: 'Earlier.', at },
      { tier: 'HEURISTIC', name: 'same-device', verdict: null, confidence: null, reason: null, at },
    ]);
    expect(wire.stock_now).toBe(-2);
  });

  it('names the devices that were enrolled, and no others', () => {
    const { a, b } = toConflictDetailWire({ conflict: pending, devices, stockNow: null });
    expect(a).toMatchObject({ id: A, device_id: TILL, device: { name: 'Till 1', device_type: 'DESKTOP' } });
    expect(b).toMatchObject({ id: B, device_id: SERVER_ID, device: { name: null, device_type: null } });
  });
});

describe('toConflictFilter', () => {
  it('takes what is left out, and null, for whichever', () => {
    const any = { status: null, awaits: null, kind: null, method: null, productId: null, deviceId: null };
    expect(toConflictFilter({}, {})).toEqual({ ...any, from: null, to: null });
    expect(toConflictFilter({ kind: null, product_id: null }, { from: null })).toMatchObject(any);
  });

  it('reads ids in either case, and times with any offset', () => {
    const filter = toConflictFilter(
      { product_id: A.toUpperCase(), device_id: TILL.toUpperCase() },
      { from: '2026-03-01T07:00:00-05:00', to: '2026-03-01T12:00:00.001Z' },
    );
    expect(filter).toMatchObject({ productId: A, deviceId: TILL, from: NOON, to: new Date(NOON.valueOf() + 1) });
  });

  it('refuses a time that ends before it begins, and takes an empty one', () => {
    const refused = (): unknown => toDetectionSpan({ from: '2026-03-01T12:00:00.001Z', to: '2026-03-01T12:00:00Z' });
    expect(refused).toThrow(ProblemError);
    expect(refused).toThrow(
      expect.objectContaining({ code: 'VALIDATION', details: { errors: [expect.objectContaining({ path: 'from' })] } }),
    );
    expect(toDetectionSpan({ from: NOON.toISOString(), to: NOON.toISOString() })).toEqual({ from: NOON, to: NOON });
  });
});
