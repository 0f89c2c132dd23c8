import { describe, expect, it } from '@jest/globals';
import { LongReads } from './long-reads.js';

const POOL_MAX = 10;
const WAIT_MAX_MS = 30;

/** A read that lasts until it is ended. */
function openRead(reads: LongReads, tenantId: string): { readonly done: Promise<string>; end(error?: Error): void } {
  let end: (error?: Error) => void = () => undefined;
  const ended = new Promise<string>((resolve, reject) => {
    end = (error) => {
      if (error) reject(error);
      else resolve('read');
    };
  });
  return { done: reads.run(tenantId, () => ended), end };
}
const read = (reads: LongReads, tenantId: string): Promise<string> =>
  reads.run(tenantId, () => Promise.resolve('read'));
const refusal = { code: 'TOO_MANY_STREAMS' };

describe('long reads', () => {
  it('are two of a tenant at once, and others may still read', async () => {
    const reads = new LongReads(POOL_MAX, WAIT_MAX_MS);
    const [first] = [openRead(reads, 'ana'), openRead(reads, 'ana')];
    await expect(read(reads, 'ana')).rejects.toMatchObject(refusal);
    await expect(read(reads, 'ben')).resolves.toBe('read');
    first.end();
    await expect(first.done).resolves.toBe('read');
    await expect(read(reads, 'ana')).resolves.toBe('read');
  });

  it('give their place back when they fail', async () => {
    const reads = new LongReads(POOL_MAX, WAIT_MAX_MS);
    for (let time = 0; time < 5; time += 1) {
      const failing = openRead(reads, 'ana');
      failing.end(new Error('out of luck'));
      await expect(failing.done).rejects.toThrow('out of luck');
    }
    await expect(read(reads, 'ana')).resolves.toBe('read');
  });

  it('wait for a place, and the next is of the tenant that has the fewest open', async () => {
    const reads = new LongReads(POOL_MAX);
    const open = ['ana', 'ana', 'ben', 'eve'].map((tenantId) => openRead(reads, tenantId));
    const order: string[] = [];
    const waiting = ['ana', 'ben', 'zoe'].map((tenantId) =>
      reads.run(tenantId, () => Promise.resolve(order.push(tenantId))),
    );
    await Promise.resolve();
    expect(order).toEqual([]);
    open[3]?.end();
    await Promise.all(waiting.slice(1));
    expect(order).toEqual(['zoe', 'ben']);
    open[0]?.end();
    await Promise.all(waiting);
    expect(order).toEqual(['zoe', 'ben', 'ana']);
  });

  it('wait in a line that one tenant can make only so long', async () => {
    const reads = new LongReads(POOL_MAX);
    const open = [openRead(reads, 'ana'), openRead(reads, 'ana')];
    const waiting = Array.from({ length: 32 }, () => read(reads, 'ana'));
    await expect(read(reads, 'ana')).rejects.toMatchObject(refusal);
    for (const each of open) each.end();
    await expect(Promise.all(waiting)).resolves.toHaveLength(32);
  });

  it.each([
    [1, 1],
    [3, 1],
    [4, 2],
    [7, 3],
    [10, 4],
    [500, 4],
  ])('of a pool of %i connections take at most %i', async (poolMax, expected) => {
    const reads = new LongReads(poolMax, WAIT_MAX_MS);
    const open = Array.from({ length: expected }, (_, index) => openRead(reads, `tenant ${index}`));
    await expect(read(reads, 'one more')).rejects.toMatchObject(refusal);
    open[0]?.end();
    await open[0]?.done;
    await expect(read(reads, 'one more')).resolves.toBe('read');
  });
});
