/** What may stand in a cell: a text, a number, or nothing. */
export type CsvCell = string | number | null;

/** A text that a spreadsheet would take for a formula (OWASP, "CSV Injection"), also after what some of them drop. */
const FORMULA = /^(?=[\t\r]|[\s"]*[=+\-@＝＋－＠])/;

/**
 * The same inside a text: a spreadsheet that separates cells by semicolons, as is the custom in much of Europe and Latin
 * America, does not understand these quotes, and begins a cell there; so does a line break then.
 */
const FORMULA_INSIDE = /(?<=[;\t\n\r])(?=(?:"|[^\S\t\n\r])*[=+\-@＝＋－＠])/g;

/** A line of CSV with its line break (RFC 4180). Of what would be a formula, an apostrophe makes a text. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  if (!/[",;\t\r\n]/.test(text)) return text;
  return `"${text.replace(FORMULA_INSIDE, "'").replaceAll('"', '""')}"`;
}

/** JSON for a cell: without semicolons, after which an apostrophe might have to stand, and it would be JSON no more. */
export function jsonForCsv(value: object): string {
  return JSON.stringify(value).replaceAll(';', String.raw`\u003b`);
}
