import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

/** A line of the retail file, checked. */
export interface RetailLine {
  /** Its number in the file; the header is line 1. Lines may be identical but for this. */
  readonly number: number;
  /** `InvoiceNo`: digits, with `C` in front for a cancellation and `A` for a bad debt. */
  readonly invoice: string;
  /** `StockCode`, exactly as written: codes that differ only in case are different products. */
  readonly code: string;
  /** Units; never 0. Negative when goods came back or were written off. */
  readonly quantity: number;
  /** Of the shop's wall clock, `YYYY-MM-DD HH:MM:SS`. */
  readonly localTime: string;
  /** Of a unit, in thousandths of a pound: a few prices have three decimals. */
  readonly priceMills: number;
  /** As written, `17850.0`; empty if unknown. */
  readonly customer: string;
}

/** Of the file that was given, not of the tool: for people, without a stack. */
export class RetailFileError extends Error {}

const COLUMNS = ['InvoiceNo', 'StockCode', 'Quantity', 'InvoiceDate', 'UnitPrice', 'CustomerID'] as const;
type Column = (typeof COLUMNS)[number];

/** One line of the file, as text. */
type Fields = Record<Column, string>;

/**
 * Streams the file, so that its size costs no memory. A name that ends in `.gz` is unpacked on the way.
 * @throws RetailFileError if it can't be read, a column is missing, or a line makes no sense; it names the line.
 */
export async function* readRetailLines(file: string): AsyncGenerator<RetailLine, void> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      const missing = COLUMNS.filter((column) => !header.includes(column));
      if (missing.length > 0) throw new RetailFileError(`${file} has no column ${missing.join(', ')}.`);
      return header;
    },
    on_record: (fields: Fields, { lines }) => toRetailLine(fields, lines),
  });
  const source = createReadStream(file);
  // What fails on the way destroys the parser, and so ends the loop below with the same error.
  const onEnd = (): void => undefined;
  if (file.endsWith('.gz')) pipeline(source, createGunzip(), parser, onEnd);
  else pipeline(source, parser, onEnd);
  try {
    for await (const line of parser) yield line as RetailLine;
  } catch (cause) {
    if (cause instanceof RetailFileError || !(cause instanceof Error)) throw cause;
    throw new RetailFileError(`${file} can't be read: ${cause.message}`, { cause });
  }
}

function toRetailLine(fields: Fields, number: number): RetailLine {
  const quantity = Number(fields.Quantity);
  const price = fields.UnitPrice === '' ? NaN : Number(fields.UnitPrice);
  const refuse = (column: Column, shape: string): never => {
    throw new RetailFileError(`Line ${number}: ${column} must be ${shape}.`);
  };
  if (fields.InvoiceNo === '') refuse('InvoiceNo', 'there');
  if (fields.StockCode === '') refuse('StockCode', 'there');
  if (!Number.isSafeInteger(quantity) || quantity === 0) refuse('Quantity', 'a whole number other than 0');
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(fields.InvoiceDate)) refuse('InvoiceDate', 'YYYY-MM-DD HH:MM:SS');
  if (!Number.isFinite(price)) refuse('UnitPrice', 'a number');
  return {
    number,
    invoice: fields.InvoiceNo,
    code: fields.StockCode,
    quantity,
    localTime: fields.InvoiceDate,
    priceMills: Math.round(price * 1_000),
    customer: fields.CustomerID,
  };
}
