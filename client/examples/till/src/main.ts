import { createInterface } from 'node:readline/promises';
import { InvalidEntryError, type Status, StoreError, SyncClient } from '@agrotour/sync-client';
import { Level } from 'level';
import { execute, HELP } from './commands.js';
import { readOptions, type TillOptions, USAGE, UsageError } from './options.js';
import { Till } from './till.js';

const STATUS: Readonly<Record<Status, string>> = {
  idle: 'online',
  syncing: 'syncing',
  waiting: 'offline',
  offline: 'offline',
  revoked: 'locked out: this device was revoked',
  unauthorized: 'locked out: the token is refused',
  suspended: 'the business is suspended',
  'upgrade-required': 'this till is too old for the service',
  stopped: 'stopped',
};

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    process.stdout.write(`${USAGE}\n\nThen:\n${HELP}\n`);
    return;
  }
  const client = await open(options);
  try {
    await serve(client);
  } finally {
    await client.close();
  }
}

/** LevelDB lets one process in. */
async function open({ store, url, token, author }: TillOptions): Promise<SyncClient> {
  try {
    return await SyncClient.open({
      ...author,
      database: new Level<string, unknown>(store),
      baseUrl: url,
      token: () => token,
    });
  } catch (error) {
    if (!isLocked(error)) throw error;
    throw new UsageError(`Another till has ${store} open. Close it, or give this one a --store of its own.`);
  }
}

async function serve(client: SyncClient): Promise<void> {
  const { stdin: input, stdout: output } = process;
  const terminal = createInterface({ input, output, terminal: input.isTTY && output.isTTY });
  const say = (text: string): void => {
    if (text !== '') output.write(`${text}\n`);
  };
  terminal.on('SIGINT', () => {
    terminal.close();
  });
  const lines = terminal[Symbol.asyncIterator](); // hears from here on: none is lost while something else is awaited
  const prompt = async (): Promise<void> => {
    const { waiting } = await client.position();
    terminal.setPrompt(`${STATUS[client.status]}${waiting > 0 ? `, ${waiting} to send` : ''}> `);
    if (terminal.terminal) terminal.prompt(true);
  };
  const promptAgain = (): void => {
    prompt().catch(() => undefined); // closed meanwhile
  };
  /** What nobody asked for: above the line that is being typed. */
  const interrupt = (text: string): void => {
    if (terminal.terminal) output.write('\r\x1b[K');
    say(`* ${text}`);
    promptAgain();
  };
  const till = new Till(client);
  tellWhatHappens(client, till, interrupt);
  client.on('synced', promptAgain);
  client.start();
  say('The till is open: "help" lists what it can do.');
  await prompt();
  for await (const line of lines) {
    if (/^\s*(quit|exit)\s*$/.test(line)) break;
    say(await execute(till, line).catch(forPeople));
    await prompt();
  }
}

function tellWhatHappens(client: SyncClient, till: Till, tell: (text: string) => void): void {
  let shown = '';
  client.on('status', ({ status }) => {
    if (status === 'syncing' || status === 'stopped' || STATUS[status] === shown) return;
    shown = STATUS[status];
    tell(shown);
  });
  const tellOnceKnown = (text: Promise<string>): void => {
    text.then(tell, () => undefined); // closed meanwhile
  };
  client.on('conflict', ({ conflict }) => {
    tellOnceKnown(till.conflict(conflict).then((text) => `Conflict: ${text}`));
  });
  client.on('rejected', ({ entry, result }) => {
    tellOnceKnown(till.rejection(entry, result.message).then((text) => `Rejected: ${text}`));
  });
}

function isLocked(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'LEVEL_LOCKED') return true;
  }
  return false;
}

/** @throws what is a fault of the program */
function forPeople(error: unknown): string {
  const isTheirs =
    error instanceof UsageError ||
    error instanceof InvalidEntryError ||
    error instanceof StoreError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (isTheirs) return error.message;
  throw error;
}

main().catch((error: unknown) => {
  process.stderr.write(`${forPeople(error)}\n`);
  process.exitCode = 1;
});
