import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Journal, JournaledList, JournaledMap } from './journal.js';

type Step =
  | { readonly step: 'set'; readonly key: string; readonly value: number }
  | { readonly step: 'push'; readonly value: number }
  | { readonly step: 'save' }
  /** To the savepoint that was made so many before the last; those after it are gone. */
  | { readonly step: 'rollBack'; readonly back: number };

const values = fc.nat({ max: 3 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ step: fc.constant('set' as const), key: fc.constantFrom('a', 'b', 'c'), value: values }),
  },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('push' as const), value: values }) },
  { weight: 2, arbitrary: fc.constant({ step: 'save' as const }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('rollBack' as const), back: fc.nat({ max: 2 }) }) },
);

describe('Journal', () => {
  it('takes maps and lists back to how they were at a savepoint, however they nest', () => {
    const before = new Map([['a', 9]]);
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 30 }), (history) => {
        const journal = new Journal();
        const map = new JournaledMap(before, journal);
        const list = new JournaledList<number>(journal);
        // What it should be: copies, kept at each savepoint.
        let expected = { changed: new Map<string, number>(), items: [] as number[] };
        let saved: { at: number; copy: typeof expected }[] = [];
        for (const step of history) {
          switch (step.step) {
            case 'set':
              map.set(step.key, step.value);
              expected.changed.set(step.key, step.value);
              break;
            case 'push':
              list.push(step.value);
              expected.items.push(step.value);
              break;
            case 'save':
              saved.push({ at: journal.savepoint(), copy: structuredClone(expected) });
              break;
            case 'rollBack': {
              const to = saved.at(-1 - step.back);
              if (!to) break;
              journal.rollBack(to.at);
              expected = structuredClone(to.copy);
              saved = saved.slice(0, saved.indexOf(to) + 1);
              break;
            }
          }
          expect(map.changed).toEqual(expected.changed);
          expect(list.items).toEqual(expected.items);
          for (const key of ['a', 'b', 'c']) {
            expect(map.get(key)).toBe(expected.changed.get(key) ?? before.get(key));
          }
        }
        expect(before).toEqual(new Map([['a', 9]]));
      }),
      { numRuns: 300 },
    );
  });

  it('takes back the last change first', () => {
    const journal = new Journal();
    const undone: number[] = [];
    const before = journal.savepoint();
    const changed = { restore: (key: unknown) => undone.push(key as number) };
    for (const number of [1, 2, 3]) journal.note(changed, number);
    journal.rollBack(before);
    expect(undone).toEqual([3, 2, 1]);
    journal.rollBack(before); // there is nothing left to take back
    expect(undone).toHaveLength(3);
  });
});

describe('JournaledMap', () => {
  it('holds a value that stands for none, and not what was there before', () => {
    const map = new JournaledMap<string, number | null>(new Map([['a', 1]]), new Journal());
    map.set('a', null);
    expect(map.get('a')).toBeNull();
    expect(map.get('b')).toBeUndefined();
  });

  it('forgets a key again that it had not before, rather than to hold nothing under it', () => {
    const journal = new Journal();
    const map = new JournaledMap<string, number>(new Map([['a', 1]]), journal);
    const before = journal.savepoint();
    map.set('a', 2);
    map.set('b', 2);
    journal.rollBack(before);
    expect([map.get('a'), map.get('b')]).toEqual([1, undefined]);
    expect(map.changed.size).toBe(0);
  });
});
