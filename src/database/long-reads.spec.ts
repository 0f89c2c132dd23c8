import { describe, expect, it } from '@jest/globals';
import { LongReads } from './long-reads.js';

const POOL_MAX = 10;

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
    const reads = new LongReads(POOL_MAX);
    const [first] = [openRead(reads, 'ana'), openRead(reads, 'ana')];
    await expect(read(reads, 'ana')).rejects.toMatchObject(refusal);
    await expect(read(reads, 'ben')).resolves.toBe('read');
    first.end();
    await expect(first.done).resolves.toBe('read');
    await expect(read(reads, 'ana')).resolves.toBe('read');
  });

  it('give their place back when they fail', async () => {
    const reads = new LongReads(POOL_MAX);
    for (let time = 0; time < 5; time += 1) {
      const failing = openRead(reads, 'ana');
      failing.end(new Error('out of luck'));
      await expect(failing.done).rejects.toThrow('out of luck');
    }
    await expect(read(reads, 'ana')).resolves.toBe('read');
  });

  it.each([
    [1, 1],
    [3, 1],
    [4, 2],
    [7, 3],
    [10, 4],
    [500, 4],
  ])('of a pool of %i connections take at most %i', async (poolMax, expected) => {
    const reads = new LongReads(poolMax);
    const open = Array.from({ length: expected }, (_, index) => openRead(reads, `tenant ${index}`));
    await expect(read(reads, 'one more')).rejects.toMatchObject(refusal);
    open[0]?.end();
    await open[0]?.done;
    await expect(read(reads, 'one more')).resolves.toBe('read');
  });
});
