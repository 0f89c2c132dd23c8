import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Batch } from './batch.js';
import { groupOf, type OutboxEntry } from './entry.js';

const outbox = fc
  .array(
    fc.record({ size: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 1, max: 60 }), alone: fc.boolean() }),
    {
      minLength: 1,
    },
  )
  .map((groups) =>
    groups.flatMap(({ size, bytes, alone }, group) =>
      Array.from({ length: alone ? 1 : size }, (_, line) =>
        anEntry(group * 10 + line, bytes, alone ? null : `${group}`),
      ),
    ),
  );

function anEntry(lamport: number, bytes: number, group: string | null): OutboxEntry {
  return { kind: 'product', lamport, bytes, body: { id: 'p', lamport_ts: lamport, group_id: group } };
}

function batchOf(entries: readonly OutboxEntry[], entriesMax: number, bytesMax: number): readonly OutboxEntry[] {
  const batch = new Batch({ entriesMax, bytesMax });
  for (const entry of entries) if (!batch.add(entry)) break;
  return batch.close();
}

describe('a batch', () => {
  it('takes all in order, in pushes that keep to the limits or are one group', () => {
    fc.assert(
      fc.property(outbox, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 100 }), (entries, most, bytes) => {
        const sent: OutboxEntry[] = [];
        while (sent.length < entries.length) {
          const batch = batchOf(entries.slice(sent.length), most, bytes);
          expect(batch.length).toBeGreaterThan(0);
          const groups = new Set(batch.map((entry) => groupOf(entry) ?? entry.lamport));
          if (groups.size > 1) {
            expect(batch.length).toBeLessThanOrEqual(most);
            expect(batch.reduce((sum, entry) => sum + entry.bytes, 0)).toBeLessThanOrEqual(bytes);
          }
          sent.push(...batch);
        }
        expect(sent).toEqual(entries);
      }),
    );
  });

  it('never tears a group apart', () => {
    fc.assert(
      fc.property(outbox, fc.integer({ min: 1, max: 6 }), (entries, most) => {
        const batch = batchOf(entries, most, 1_000_000);
        const next = entries[batch.length];
        const last = batch.at(-1);
        if (next && last && groupOf(next) !== undefined) expect(groupOf(next)).not.toBe(groupOf(last));
      }),
    );
  });

  it('is filled as far as it goes', () => {
    const entries = Array.from({ length: 9 }, (_, index) => anEntry(index, 10, null));
    expect(batchOf(entries, 4, 1_000)).toHaveLength(4);
    expect(batchOf(entries, 100, 35)).toHaveLength(3);
  });
});
