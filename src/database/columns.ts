import { type BinaryType, binaryArray } from './binary-array.js';

/** A column, its type, and what of `T` goes into it. */
export type Column<T> = readonly [name: string, type: ColumnType, value: (row: T) => ColumnValue];

type ColumnType = BinaryType | 'numeric';
type ColumnValue = string | number | boolean | Date | Uint8Array | null;

/** SQL for rows that come as one array a column, which are the parameters from `first` on. */
export function unnest<T>(columns: readonly Column<T>[], first: number): string {
  return `unnest(${columns.map(([, type], index) => `$${first + index}::${type}[]`).join(', ')})`;
}

export function namesOf<T>(columns: readonly Column<T>[]): string {
  return columns.map(([name]) => name).join(', ');
}

/** The parameters of `unnest`. */
export function arraysOf<T>(columns: readonly Column<T>[], rows: readonly T[]): (Buffer | string)[] {
  return columns.map(([, type, value]) =>
    type === 'numeric' ? arrayLiteral(rows, value) : binaryArray(type, rows, value),
  );
}

/** One such parameter, for `$n::type[]`. */
export function arrayOf(type: BinaryType, values: readonly ColumnValue[]): Buffer {
  return binaryArray(type, values, (value) => value);
}

/** PostgreSQL's text of an array of what is not sent in binary. pg writes arrays too, but quotes and escapes numbers. */
function arrayLiteral<T>(rows: readonly T[], valueOf: (row: T) => ColumnValue): string {
  let literal = '{';
  for (let index = 0; index < rows.length; index += 1) {
    literal += `${index > 0 ? ',' : ''}${element(valueOf(rows[index] as T))}`;
  }
  return `${literal}}`;
}

function element(value: ColumnValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value);
}
