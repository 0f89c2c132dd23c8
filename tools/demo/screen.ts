import { stripVTControlCharacters } from 'node:util';

/** Columns that the story fits into. */
export const WIDTH = 100;

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

/** Paints a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** By the convention of no-color.org: not where it isn't wanted, and not into a file. */
export function paintFor(isTerminal: boolean, variables: NodeJS.ProcessEnv): Paint {
  const isWanted = isTerminal && (variables['NO_COLOR'] ?? '') === '' && variables['TERM'] !== 'dumb';
  return (colour, text) => (isWanted ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

/** A cell of the width, whatever colours it has. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'left' ? text + space : space + text;
}

/** Breaks a text between words; the first line begins with `first`, the others are indented as far. */
export function wrapped(first: string, text: string, width = WIDTH): string[] {
  const indent = ' '.repeat(lengthOf(first));
  const lines: string[] = [];
  let words: string[] = [];
  const line = (): string => (lines.length === 0 ? first : indent) + words.join(' ');
  for (const word of text.split(' ')) {
    if (words.length > 0 && lengthOf(line()) + 1 + lengthOf(word) > width) {
      lines.push(line());
      words = [];
    }
    words.push(word);
  }
  return [...lines, line()];
}

/** Characters that are seen. */
function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
