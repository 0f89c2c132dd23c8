import { type CsvCell, csvLine, jsonForCsv } from '../wire/csv.js';
import type { LineFormat } from '../wire/line-format.js';
import type { ExportFormat } from './conflict-export.dto.js';
import type { LabelledConflictDto } from './conflict.dto.js';
import { toLabelledConflictWire } from './conflict.wire.js';
import type { LabelledConflict } from './domain/conflict-log.js';

/** The columns, in order. New ones go to the end: spreadsheets refer to columns by their place. */
const COLUMNS: readonly (readonly [name: string, cell: (conflict: LabelledConflictDto) => CsvCell])[] = [
  ['id', ({ id }) => id],
  ['kind', ({ kind }) => kind],
  ['status', ({ status }) => status],
  ['awaits', ({ awaits }) => awaits],
  ['detected_at', ({ detected_at: at }) => at],
  ['resolved_at', ({ resolved_at: at }) => at],
  ['entity', ({ entity }) => entity],
  ['entity_id', ({ entity_id: id }) => id],
  ['fields', ({ fields }) => fields.join(' ')],
  ['stock_then', ({ stock_then: units }) => units],
  ['verdict', ({ verdict }) => verdict],
  ['winner_id', ({ winner_id: id }) => id],
  ['resolution_method', ({ resolution_method: method }) => method],
  ['resolution_reason', ({ resolution_reason: reason }) => reason],
  ['confidence', ({ confidence }) => confidence],
  ['resolved_by', ({ resolved_by: id }) => id],
  ['user_feedback', ({ user_feedback: feedback }) => feedback],
  ['suggested_verdict', ({ suggestion }) => suggestion?.verdict ?? null],
  ['suggested_winner_id', ({ suggestion }) => suggestion?.winner_id ?? null],
  ['suggestion_confidence', ({ suggestion }) => suggestion?.confidence ?? null],
  ['suggestion_reason', ({ suggestion }) => suggestion?.reason ?? null],
  ['suggestion_reasons', ({ suggestion }) => suggestion && jsonForCsv(suggestion.reasons)],
  ['a_id', ({ a }) => a.id],
  ['a_device_id', ({ a }) => a.device_id],
  ['a_device_name', ({ a }) => a.device.name],
  ['a_device_type', ({ a }) => a.device.device_type],
  ['a_payload', ({ a }) => jsonForCsv(a.payload)],
  ['b_id', ({ b }) => b.id],
  ['b_device_id', ({ b }) => b.device_id],
  ['b_device_name', ({ b }) => b.device.name],
  ['b_device_type', ({ b }) => b.device.device_type],
  ['b_payload', ({ b }) => jsonForCsv(b.payload)],
  ['decisions', ({ decisions }) => jsonForCsv(decisions)],
  ['lamport_ts', ({ lamport_ts: lamport }) => lamport],
];

/** The first line of the CSV: names of the columns. */
export const CSV_HEADER = csvLine(COLUMNS.map(([name]) => name));

/** How the log is written to a file. */
export type ExportFile = Required<LineFormat<readonly LabelledConflict[]>>;

/** A file that begins now: once for each that is written. */
export function exportFile(format: ExportFormat, now: Date): ExportFile {
  const fileName = `conflicts-${now.toISOString().slice(0, 10)}.${format}`;
  switch (format) {
    case 'csv': {
      let header = CSV_HEADER; // above the first lines, also if there are none
      const text = (conflicts: readonly LabelledConflict[]): string => {
        const lines = header + toCsvText(conflicts);
        header = '';
        return lines;
      };
      return { type: 'text/csv; charset=utf-8; header=present', fileName, text };
    }
    case 'ndjson':
      return { type: 'application/x-ndjson', fileName, text: toNdjsonText };
  }
}

function toCsvText(conflicts: readonly LabelledConflict[]): string {
  return conflicts
    .map(toLabelledConflictWire)
    .map((conflict) => csvLine(COLUMNS.map(([, cell]) => cell(conflict))))
    .join('');
}

function toNdjsonText(conflicts: readonly LabelledConflict[]): string {
  return conflicts.map((conflict) => `${JSON.stringify(toLabelledConflictWire(conflict))}\n`).join('');
}
