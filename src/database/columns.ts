/** A column, its type, and what of `T` goes into it. */
export type Column<T> = readonly [name: string, type: ColumnType, value: (row: T) => ColumnValue];

type ColumnType =
  | 'bigint'
  | 'boolean'
  | 'bytea'
  | 'double precision'
  | 'integer'
  | 'jsonb'
  | 'numeric'
  | 'text'
  | 'timestamptz'
  | 'uuid';
type ColumnValue = string | number | boolean | Date | Uint8Array | null;

/** SQL for rows that come as one array a column, which are the parameters from `first` on. */
export function unnest<T>(columns: readonly Column<T>[], first: number): string {
  return `unnest(${columns.map(([, type], index) => `$${first + index}::${type}[]`).join(', ')})`;
}

export function namesOf<T>(columns: readonly Column<T>[]): string {
  return columns.map(([name]) => name).join(', ');
}

/** The parameters of `unnest`. */
export function arraysOf<T>(columns: readonly Column<T>[], rows: readonly T[]): string[] {
  return columns.map(([, , value]) => arrayLiteral(rows.map(value)));
}

/**
 * PostgreSQL's text of an array. pg writes arrays too, but quotes and escapes whatever they hold, number by number, which
 * takes it longer than all else that it does for a push.
 */
export function arrayLiteral(values: readonly ColumnValue[]): string {
  let text = '{';
  for (const value of values) text += text.length > 1 ? `,${element(value)}` : element(value);
  return `${text}}`;
}

function element(value: ColumnValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `"${ESCAPED.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (typeof value === 'object') return `"\\\\x${hexOf(value)}"`;
  return String(value);
}

const ESCAPED = /["\\]/;

function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}
