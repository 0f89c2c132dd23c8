import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Cut, cutPage, type Entries } from './pull-page.js';

const KINDS = ['events', 'products', 'payments', 'conflicts'] as const;

/** All entries of a tenant: a lamport belongs to one entry, there are gaps, and a kind may lack. */
const tenants: fc.Arbitrary<Entries> = fc
  .array(fc.record({ kind: fc.constantFrom(...KINDS), gap: fc.integer({ min: 1, max: 3 }) }), { maxLength: 24 })
  .map((entries) => {
    const all: Record<(typeof KINDS)[number], { lamport: number }[]> = {
      ...{ events: [], products: [], payments: [], conflicts: [] },
    };
    let lamport = 0;
    for (const { kind, gap } of entries) all[kind].push({ lamport: (lamport += gap) });
    return all as unknown as Entries; // of an entry only its place counts
  });
const limits = fc.integer({ min: 1, max: 9 });

const lamportsIn = (entries: Entries): number[] =>
  KINDS.flatMap((kind) => entries[kind].map(({ lamport }) => lamport)).sort((a, b) => a - b);

/** What the service reads of a tenant: of each kind the first `limit` + 1 in (`after`, `upTo`]. */
function readAfter(all: Entries, after: number, limit: number, upTo = Infinity): Entries {
  const read = <T extends { readonly lamport: number }>(entries: readonly T[]): T[] =>
    entries.filter(({ lamport }) => lamport > after && lamport <= upTo).slice(0, limit + 1);
  return {
    events: read(all.events),
    products: read(all.products),
    payments: read(all.payments),
    conflicts: read(all.conflicts),
  };
}

/** Pulls page after page, as a device does. */
function pullAll(all: Entries, limit: number): Cut[] {
  const pages: Cut[] = [];
  let after = 0;
  do {
    const page = cutPage(readAfter(all, after, limit), limit);
    pages.push(page);
    if (page.cutAt === null) return pages;
    after = page.cutAt;
  } while (pages.length < 100);
  throw new Error('The pages come to no end');
}

describe('cutPage', () => {
  it('hands out page by page all there is, in order and once, kind by kind', () => {
    fc.assert(
      fc.property(tenants, limits, (all, limit) => {
        const pages = pullAll(all, limit);
        for (const kind of KINDS) expect(pages.flatMap((page) => [...page[kind]])).toEqual(all[kind]);
        expect(pages.flatMap(lamportsIn)).toEqual(lamportsIn(all));
      }),
    );
  });

  it('fills every page but the last, says that there is more only if there is, and where the page ends', () => {
    fc.assert(
      fc.property(tenants, limits, (all, limit) => {
        const pages = pullAll(all, limit);
        const count = lamportsIn(all).length;
        expect(pages.map((page) => lamportsIn(page).length)).toEqual(
          Array.from({ length: Math.max(1, Math.ceil(count / limit)) }, (_, at) => Math.min(limit, count - at * limit)),
        );
        for (const page of pages.slice(0, -1)) expect(page.cutAt).toBe(lamportsIn(page).at(-1));
        expect(pages.at(-1)?.cutAt).toBeNull();
      }),
    );
  });

  it('is the start of what is there, whatever the limit', () => {
    fc.assert(
      fc.property(tenants, limits, fc.nat({ max: 40 }), (all, limit, after) => {
        const left = lamportsIn(all).filter((lamport) => lamport > after);
        const page = cutPage(readAfter(all, after, limit), limit);
        expect(lamportsIn(page)).toEqual(left.slice(0, limit));
        expect(page.cutAt).toBe(left.length > limit ? left[limit - 1] : null);
      }),
    );
  });

  it('needs no more than the first of each kind, one past the limit', () => {
    fc.assert(
      fc.property(tenants, limits, (all, limit) => {
        expect(cutPage(readAfter(all, 0, limit), limit)).toEqual(cutPage(all, limit));
      }),
    );
  });

  it('has a page, and nothing in it, where there is nothing', () => {
    const none: Entries = { events: [], products: [], payments: [], conflicts: [] };
    expect(cutPage(none, 1)).toEqual({ ...none, cutAt: null });
  });
});
