import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';

/** The connection to the database breaks in the middle of a request. */
export interface DatabaseBreak {
  /** At the how manieth statement of it. */
  readonly statement: number;
  /** Whether the database has carried it out, which the server can't know then. */
  readonly isDone: boolean;
}

interface Counted extends DatabaseBreak {
  seen: number;
}

const requests = new AsyncLocalStorage<Counted>();

/** Does `work`, whose connection to the database breaks. */
export function withBreak<T>(databaseBreak: DatabaseBreak, work: () => Promise<T>): Promise<T> {
  return requests.run({ ...databaseBreak, seen: 0 }, work);
}

type Ask = (this: pg.Client, ...args: unknown[]) => unknown;
type Callback = (error: Error | null | undefined, ...rest: unknown[]) => void;

/** The driver's own way to the database, with a place in it where the line can be cut. */
export function makeBreakable(): void {
  const prototype = pg.Client.prototype as unknown as { query: Ask };
  const { query } = prototype;
  prototype.query = function (...args) {
    const request = requests.getStore();
    if (!request) return query.apply(this, args);
    request.seen += 1;
    if (request.seen !== request.statement) return query.apply(this, args);
    const [asked] = args;
    if (asked instanceof pg.Query) return cutUnder(this, asked, request.isDone && query);
    return cut(this, request.isDone ? query.apply(this, args) : undefined);
  };
}

async function cut(client: pg.Client, done: unknown): Promise<never> {
  await done;
  throw hangUp(client);
}

/** As `cut`, of a query that hands over its rows, and tells nobody but its own callback how it ended. */
function cutUnder(client: pg.Client, asked: pg.Query, query: Ask | false): pg.Query {
  const told = asked as unknown as { callback: Callback };
  const { callback } = told;
  told.callback = () => {
    callback(hangUp(client));
  };
  if (query) query.call(client, asked);
  else process.nextTick(told.callback, null);
  return asked;
}

function hangUp(client: pg.Client): Error {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
}
