import { expect, it } from '@jest/globals';
import { toConflictStatsWire } from './conflict-stats.wire.js';
import type { ConflictCount } from './domain/conflict-log.js';

const count = (fields: Partial<ConflictCount>): ConflictCount => ({
  ...{ kind: 'OVERSELL', status: 'PENDING', awaits: null, method: null, verdict: null, count: 1 },
  ...{ detectedAt: new Date('2026-03-01T12:00:00Z'), suggested: 0, agreed: 0, ...fields },
});
const manual = (fields: Partial<ConflictCount>): ConflictCount =>
  count({ status: 'RESOLVED_MANUAL', method: 'MANUAL', verdict: 'A', ...fields });

it('of an empty log is nothing', () => {
  expect(toConflictStatsWire({ counts: [], times: [] })).toEqual({
    ...{ total: 0, counts: [], settled: [], agreement: [] },
    pending: { heuristic: 0, person: 0, oldest_detected_at: null },
  });
});

it('counts those that wait together, and tells apart for whom, and since when', () => {
  const wire = toConflictStatsWire({
    counts: [
      count({ awaits: 'PERSON', count: 3, detectedAt: new Date('2026-03-02T00:00:00Z') }),
      count({ awaits: 'HEURISTIC', count: 2, detectedAt: new Date('2026-03-01T00:00:00Z') }),
      count({ kind: 'STOCK_COUNT', awaits: 'PERSON', count: 4, detectedAt: new Date('2026-03-03T00:00:00Z') }),
      manual({ count: 6, detectedAt: new Date('2026-01-01T00:00:00Z') }),
    ],
    times: [],
  });
  expect(wire.total).toBe(15);
  expect(wire.counts).toEqual([
    { kind: 'OVERSELL', status: 'RESOLVED_MANUAL', method: 'MANUAL', verdict: 'A', count: 6 },
    { kind: 'OVERSELL', status: 'PENDING', method: null, verdict: null, count: 5 },
    { kind: 'STOCK_COUNT', status: 'PENDING', method: null, verdict: null, count: 4 },
  ]);
  expect(wire.pending).toEqual({ heuristic: 2, person: 7, oldest_detected_at: '2026-03-01T00:00:00.000Z' });
});

it('says by kind how often people did as was suggested, where anything was', () => {
  const { agreement } = toConflictStatsWire({
    counts: [
      manual({ count: 5, suggested: 4, agreed: 3 }),
      manual({ count: 5, verdict: 'B', suggested: 2, agreed: 1 }),
      manual({ count: 5, kind: 'STOCK_COUNT', suggested: 3, agreed: 0 }),
      manual({ count: 5, kind: 'DELETED_PRODUCT' }),
    ],
    times: [],
  });
  expect(agreement).toEqual([
    { kind: 'OVERSELL', decided: 6, agreed: 4, rate: 0.667 },
    { kind: 'STOCK_COUNT', decided: 3, agreed: 0, rate: 0 },
  ]);
});

it('says how long it took, by who decided', () => {
  const { settled } = toConflictStatsWire({
    counts: [],
    times: [
      { method: 'MANUAL', count: 2, meanSeconds: 5400.00049, medianSeconds: 10 },
      { method: 'HARDCODED', count: 1, meanSeconds: 0, medianSeconds: 0 },
    ],
  });
  expect(settled).toEqual([
    { method: 'HARDCODED', count: 1, mean_seconds: 0, median_seconds: 0 },
    { method: 'MANUAL', count: 2, mean_seconds: 5400, median_seconds: 10 },
  ]);
});
