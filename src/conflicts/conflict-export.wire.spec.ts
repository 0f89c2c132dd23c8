import { expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { CSV_HEADER, exportFile } from './conflict-export.wire.js';
import type { RecordedConflict } from './domain/conflict.js';
import type { LabelledConflict } from './domain/conflict-log.js';

const AT = new Date('2026-03-01T23:59:59.999Z');
const TILL = '99999999-0000-4000-8000-000000000001';
const NAME = '=HYPERLINK("http://example.org";"Click")';

const conflict: RecordedConflict = {
  id: '99999999-0000-4000-8000-000000000003',
  kind: 'FIELD_EDIT',
  status: 'RESOLVED_MANUAL',
  awaits: null,
  entity: 'PRODUCT',
  entityId: '99999999-0000-4000-8000-000000000004',
  fields: ['name', 'reorderPoint'],
  a: { id: TILL, deviceId: TILL, payload: { name: NAME, price: -1 } },
  b: { id: AT.toISOString(), deviceId: 'unknown', payload: { name: 'a, "b"\n;=c' } },
  stockThen: -5,
  resolution: {
    ...{ method: 'MANUAL', verdict: 'BOTH', reason: 'A person decided.', confidence: 1, winnerId: null },
    ...{ resolvedBy: TILL, feedback: '-2+3, she said "sí"\nand left' },
  },
  suggestion: { verdict: 'A', confidence: 0.95, reason: 'One.', reasons: ['One.', '=Two;'] },
  decisions: [{ tier: 'HARDCODED', name: '@rule', answer: null, at: AT }],
  lamport: 12,
  detectedLamport: 10,
  detectedAt: AT,
  resolvedAt: null,
};
const labelled: LabelledConflict = {
  conflict,
  devices: new Map([[TILL, { name: '+Till', deviceType: 'MOBILE' }]]),
};

it('is a file named for the day, in UTC', () => {
  expect(exportFile('csv', AT)).toMatchObject({
    type: 'text/csv; charset=utf-8; header=present',
    fileName: 'conflicts-2026-03-01.csv',
  });
  expect(exportFile('ndjson', AT)).toMatchObject({
    type: 'application/x-ndjson',
    fileName: 'conflicts-2026-03-01.ndjson',
  });
});

it('has the header of a CSV once, before the first conflict or alone', () => {
  const file = exportFile('csv', AT);
  expect(file.text([])).toBe(CSV_HEADER);
  expect(file.text([])).toBe('');
  expect(file.text([labelled])).not.toContain('user_feedback');
  expect(exportFile('csv', AT).text([labelled]).startsWith(CSV_HEADER)).toBe(true);
});

it('has a cell in each column: texts no spreadsheet computes, numbers as numbers, payloads as JSON', () => {
  const [row, ...others] = parse<Record<string, string>>(exportFile('csv', AT).text([labelled]), { columns: true });
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    ...{ id: conflict.id, kind: 'FIELD_EDIT', awaits: '', fields: 'name reorder_point', stock_then: '-5' },
    ...{ confidence: '1', user_feedback: `'-2+3, she said "sí"\nand left`, detected_at: '2026-03-01T23:59:59.999Z' },
    ...{ resolved_at: '', verdict: 'BOTH', winner_id: '', suggested_verdict: 'A', suggested_winner_id: TILL },
    ...{ suggestion_confidence: '0.95', a_device_name: `'+Till`, a_device_type: 'MOBILE', b_device_name: '' },
    ...{ lamport_ts: '12' },
  });
  const json = (column: string): unknown => JSON.parse(row?.[column] ?? '');
  expect(json('a_payload')).toEqual({ name: NAME, price: -1 });
  expect(json('b_payload')).toEqual({ name: 'a, "b"\n;=c' });
  expect(json('suggestion_reasons')).toEqual(['One.', '=Two;']);
  expect(json('decisions')).toMatchObject([{ name: '@rule', verdict: null }]);
  for (const cell of Object.values(row ?? {})) expect(cell).not.toMatch(/(^|;)\s*[=+@]|^-(?!5$)/);
});

it('is an object a line in NDJSON, and nothing without conflicts', () => {
  const file = exportFile('ndjson', AT);
  expect(file.text([])).toBe('');
  const lines = file.text([labelled, labelled]).split('\n');
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ...{ id: conflict.id, user_feedback: conflict.resolution?.feedback, a: { device: { name: '+Till' } } },
    decisions: [{ name: '@rule' }],
  });
});
