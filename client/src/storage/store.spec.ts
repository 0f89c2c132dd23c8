import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryLevel } from 'memory-level';
import { ProcessLocks } from './locks.js';
import { Store, table } from './store.js';

const ROWS = table<number>('rows');
const OTHERS = table<number>('rows-2');
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');

async function aStore(): Promise<{ store: Store; database: MemoryLevel; batches: () => number }> {
  const database = new MemoryLevel();
  await database.open();
  let batches = 0;
  const batch = database.batch.bind(database) as (...args: unknown[]) => unknown;
  Object.assign(database, {
    batch: (...args: unknown[]) => {
      batches += 1;
      return batch(...args);
    },
  });
  return { store: new Store(database, new ProcessLocks(), 'test'), database, batches: () => batches };
}

async function all(rows: AsyncIterable<readonly [string, number]>): Promise<(readonly [string, number])[]> {
  const found: (readonly [string, number])[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe('a transaction', () => {
  it('sees the rows of its table, as it has changed them, in order', async () => {
    const change = fc.record({ key, value: fc.option(fc.nat()) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change),
        fc.array(change),
        fc.array(change),
        key,
        async (before, first, second, from) => {
          const { store } = await aStore();
          const model = new Map<string, number>();
          const steps = [before, first, second];
          for (const changes of steps) {
            await store.transaction(async (tx) => {
              tx.put(OTHERS, 'a', 1);
              for (const { key: name, value } of changes) {
                if (value === null) tx.remove(ROWS, name);
                else tx.put(ROWS, name, value);
                if (value === null) model.delete(name);
                else model.set(name, value);
                expect(await tx.get(ROWS, name)).toBe(model.get(name));
              }
              const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
              expect(await all(tx.rows(ROWS))).toEqual(sorted);
              expect(await all(tx.rows(ROWS, { from, before: 'd' }))).toEqual(
                sorted.filter(([name]) => name >= from && name < 'd'),
              );
            });
            expect(await all(store.rows(ROWS))).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves nothing if it fails, and those beside it alone', async () => {
    const { store } = await aStore();
    const increase = (fails: boolean) =>
      store.transaction(async (tx) => {
        tx.put(ROWS, 'a', ((await tx.get(ROWS, 'a')) ?? 0) + 1);
        if (fails) throw new Error('No');
      });
    const ends = await Promise.allSettled([increase(false), increase(true), increase(false)]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await all(store.rows(ROWS))).toEqual([['a', 2]]);
  });

  it('shares its batch with those that came while another was written', async () => {
    const { store, batches } = await aStore();
    const writes = Array.from({ length: 100 }, (_, index) =>
      store.transaction((tx) => {
        tx.put(ROWS, `${index}`, index);
        return Promise.resolve();
      }),
    );
    await Promise.all(writes);
    expect(await all(store.rows(ROWS))).toHaveLength(100);
    expect(batches()).toBeLessThan(5);
  });

  it('fails if its batch can’t be written, and the next ones go on', async () => {
    const { store, database } = await aStore();
    const batch = database.batch.bind(database);
    Object.assign(database, { batch: () => Promise.reject(new Error('Disk full')) });
    const write = () =>
      store.transaction((tx) => {
        tx.put(ROWS, 'a', 1);
        return Promise.resolve();
      });
    await expect(write()).rejects.toThrow('Disk full');
    Object.assign(database, { batch });
    await write();
    expect(await all(store.rows(ROWS))).toEqual([['a', 1]]);
  });
});
