import { UsageError } from './options.js';
import type { Till } from './till.js';

/** What is typed, what follows it, and what it does; `help` tells it. */
const COMMANDS: readonly (readonly [name: string, rest: string, help: string, run: Run])[] = [
  ['sell', '2 goat cheese, 1 honey', 'sold and paid', (till, text) => till.sell(text, 'PAID')],
  ['owe', '2 goat cheese', 'sold, to be paid later', (till, text) => till.sell(text, 'PENDING')],
  ['restock', '20 honey', 'delivered', (till, text) => till.restock(text)],
  ['count', '18 honey', 'counted: so many are there', (till, text) => till.count(text)],
  ['add', 'Goat cheese, 12.50, 40', 'a new product, its price, how many there are', (till, text) => till.add(text)],
  ['products', '', 'with stock: to go by, confirmed, and pending here', (till) => till.products()],
  ['outbox', '', 'what the server has not answered yet', (till) => till.outbox()],
  ['conflicts', '', 'what came in each other’s way', (till) => till.conflicts()],
  ['rejected', '', 'what the server can’t take', (till) => till.rejected()],
  ['retry', '12', 'send what was rejected again', (till, text) => till.retry(text)],
  ['discard', '12', 'forget what was rejected', (till, text) => till.discard(text)],
];

type Run = (till: Till, text: string) => Promise<string>;

export const HELP = [
  ...COMMANDS.map(([name, rest, help]) => `  ${`${name} ${rest}`.padEnd(30)}${help}`),
  `  ${'quit'.padEnd(30)}nothing is lost: what waits is sent the next time`,
].join('\n');

/** @returns what to show @throws UsageError if it is no command */
export async function execute(till: Till, line: string): Promise<string> {
  const [, name = '', text = ''] = /^\s*(\S*)\s*(.*)$/.exec(line) ?? [];
  if (name === '') return '';
  if (name === 'help') return HELP;
  const command = COMMANDS.find(([known]) => known === name.toLowerCase());
  if (!command) throw new UsageError(`"${name}" is no command: "help" lists them.`);
  return command[3](till, text);
}
