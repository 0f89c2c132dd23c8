import { WireEnum } from '../wire/wire.decorators.js';

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export class ConflictExportFormatDto {
  @WireEnum(EXPORT_FORMATS, {
    optional: true,
    description: 'csv: for a spreadsheet. ndjson: a JSON object a line, for programs.',
    example: 'csv',
  })
  format: ExportFormat | null = 'csv';
}
