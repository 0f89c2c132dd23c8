import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_EDITS, createFrom, type EditBase, type Merge, mergeEdit } from './merge.js';
import type { Edit, State } from './state.js';

/** A state of three fields. */
type Card = Readonly<Record<'name' | 'price' | 'note', number>>;
const NAMES = ['name', 'price', 'note'] as const;

const A_CARD: Card = { name: 0, price: 0, note: 0 };

const aState = (fields: Partial<State<Card>> = {}): State<Card> => ({
  ...{ id: 'card', fields: A_CARD, version: 1, lamport: 20, deviceId: 'tablet', clientLamport: 5, editId: 'first' },
  ...fields,
});
const anEdit = (said: Partial<Card>, fields: Partial<Edit<Card>> = {}): Edit<Card> => ({
  ...{ id: 'card', editId: 'second', deviceId: 'phone', clientLamport: 21, baseVersion: null, said },
  ...fields,
});
const aBase = (fields: Card, ...changedByOthers: (keyof Card)[]): EditBase => ({
  fields,
  changedByOthers: new Set(changedByOthers),
  othersLamport: 20,
  own: NO_EDITS,
});

// Few values and lamports, so that what is said often is what stands, or was the base, and lamports often are equal.
const values = fc.integer({ min: 0, max: 2 });
const lamports = fc.integer({ min: 1, max: 6 });
const devices = fc.constantFrom('phone', 'tablet');
const cards: fc.Arbitrary<Card> = fc.record({ name: values, price: values, note: values });
const states = fc.record({ fields: cards, lamport: lamports, clientLamport: lamports, deviceId: devices }).map(aState);
const edits = fc
  .record({
    said: fc.record({ name: values, price: values, note: values }, { requiredKeys: [] }),
    clientLamport: lamports,
    deviceId: devices,
  })
  .map(({ said, ...fields }) => anEdit({ ...said }, fields));
const bases = fc
  .record({ fields: cards, changed: fc.subarray([...NAMES]), othersLamport: lamports })
  .map(({ fields, changed, othersLamport }) => ({ ...aBase(fields, ...changed), othersLamport }));

/** Of the same device its own clock counts, of another the server's. */
const newer = (state: State<Card>, edit: Edit<Card>): boolean =>
  edit.clientLamport > (edit.deviceId === state.deviceId ? state.clientLamport : state.lamport);

function holds(law: (state: State<Card>, edit: Edit<Card>, base: EditBase | undefined, merge: Merge<Card>) => void) {
  fc.assert(
    fc.property(states, edits, fc.option(bases, { nil: undefined }), (state, edit, base) => {
      law(state, edit, base, mergeEdit(state, edit, base));
    }),
    { numRuns: 2_000 },
  );
}

describe('mergeEdit, of any state and edit', () => {
  it('leaves each field as it stood or as it was said, and names those that it changes', () => {
    holds((state, edit, _base, { fields, changed }) => {
      expect(Object.keys(fields)).toEqual(Object.keys(state.fields));
      for (const name of NAMES) {
        const changes = changed.includes(name);
        expect(fields[name]).toBe(changes ? edit.said[name] : state.fields[name]);
        if (changes) expect(fields[name]).not.toBe(state.fields[name]);
      }
    });
  });

  it('without a base takes all that is said or nothing, as the lamports tell', () => {
    holds((state, edit, base, merge) => {
      if (base) return;
      const takes = newer(state, edit);
      expect(merge).toMatchObject({
        newer: takes,
        takes,
        fields: takes ? { ...state.fields, ...edit.said } : state.fields,
      });
    });
  });

  it('without a base contests what a stale edit says otherwise, and nothing that a newer one overwrites', () => {
    holds((state, edit, base, { contested }) => {
      if (base) return;
      const otherwise = NAMES.filter((name) => edit.said[name] !== undefined && edit.said[name] !== state.fields[name]);
      expect([...contested].sort()).toEqual(newer(state, edit) ? [] : otherwise.sort());
    });
  });

  it('with a base contests just what both sides changed, to different values', () => {
    holds((state, edit, base, { contested }) => {
      if (!base) return;
      const both = NAMES.filter((name) => {
        const said = edit.said[name];
        const mine = said !== undefined && said !== base.fields[name];
        return mine && base.changedByOthers.has(name) && said !== state.fields[name];
      });
      expect([...contested].sort()).toEqual(both.sort());
    });
  });

  it('with a base takes what only the edit changed, whatever the lamports, and leaves what it did not change', () => {
    holds((state, edit, base, { fields, contested }) => {
      if (!base) return;
      for (const name of NAMES) {
        if (contested.includes(name)) continue;
        const said = edit.said[name];
        const mine = said !== undefined && said !== base.fields[name];
        expect(fields[name]).toBe(mine ? said : state.fields[name]);
      }
    });
  });

  it('decides all contested fields alike: for the edit if it is newer, else for what stands', () => {
    holds((state, edit, base, merge) => {
      expect(merge.newer).toBe(base ? edit.clientLamport > base.othersLamport : newer(state, edit));
      for (const name of merge.contested as (keyof Card)[]) {
        expect(merge.fields[name]).toBe((merge.newer ? edit.said : state.fields)[name]);
      }
    });
  });

  it('makes a version if it changes anything, and of a newer edit without a base even if not', () => {
    holds((state, edit, base, { changed, takes }) => {
      expect(takes).toBe(changed.length > 0 || (!base && newer(state, edit)));
    });
  });

  it('changes nothing more when the same edit is merged into what it left', () => {
    holds((state, edit, base, { fields }) => {
      expect(mergeEdit({ ...state, fields }, edit, base)).toMatchObject({ fields, changed: [] });
    });
  });

  it('comes to the same in either order if two devices changed different fields of one version', () => {
    const splits = fc.subarray([...NAMES]);
    fc.assert(
      fc.property(cards, cards, cards, splits, lamports, lamports, (fields, one, other, mine, first, second) => {
        const base = aState({ fields, lamport: 0, clientLamport: 0, deviceId: 'till' });
        const ofPhone = anEdit(only(one, mine), { deviceId: 'phone', clientLamport: first });
        const ofTablet = anEdit(
          only(
            other,
            NAMES.filter((name) => !mine.includes(name)),
          ),
          { deviceId: 'tablet', clientLamport: second },
        );
        const merged = inOrder(base, ofPhone, ofTablet);
        expect(merged).toEqual({ ...fields, ...ofPhone.said, ...ofTablet.said });
        expect(inOrder(base, ofTablet, ofPhone)).toEqual(merged);
      }),
    );
  });

  it('leaves its arguments as they were', () => {
    holds((state, edit, base, merge) => {
      Object.freeze(state.fields);
      Object.freeze(edit.said);
      expect(mergeEdit(Object.freeze(state), Object.freeze(edit), base && Object.freeze(base))).toEqual(merge);
    });
  });
});

/** Both edits were made on `base`: the second has to be merged with the first. */
function inOrder(base: State<Card>, first: Edit<Card>, second: Edit<Card>): Card {
  const { fields, changed } = mergeEdit(base, first, undefined);
  const between = aState({ ...first, fields, version: 2, lamport: 10 });
  return mergeEdit(between, second, {
    fields: base.fields,
    changedByOthers: new Set(changed),
    othersLamport: 10,
    own: NO_EDITS,
  }).fields;
}

function only(card: Card, names: readonly (keyof Card)[]): Partial<Card> {
  return Object.fromEntries(names.map((name) => [name, card[name]]));
}

describe('mergeEdit', () => {
  it('lets the last write win, of the fields that it says', () => {
    expect(mergeEdit(aState(), anEdit({ price: 7 }, { clientLamport: 21 }), undefined)).toEqual({
      fields: { name: 0, price: 7, note: 0 },
      changed: ['price'],
      contested: [],
      newer: true,
      takes: true,
    });
  });

  it.each([20, 19])('leaves what stands since lamport 20 where an edit of another device has %i', (clientLamport) => {
    expect(mergeEdit(aState(), anEdit({ price: 7, note: 0 }, { clientLamport }), undefined)).toEqual({
      fields: A_CARD,
      changed: [],
      contested: ['price'],
      newer: false,
      takes: false,
    });
  });

  it("goes by a device's own clock between edits of its own: the server's is past both of what it did offline", () => {
    const own = (clientLamport: number) =>
      mergeEdit(aState(), anEdit({ price: 7 }, { deviceId: 'tablet', clientLamport }), undefined);
    expect([4, 5, 6].map((clientLamport) => own(clientLamport).newer)).toEqual([false, false, true]);
  });

  it('makes a version of a newer edit that says what stands: it is the one to beat from then on', () => {
    expect(mergeEdit(aState(), anEdit({ price: 0 }), undefined)).toMatchObject({ changed: [], takes: true });
  });

  it('makes no version of a merge that brings nothing, newer or not', () => {
    const base = aBase({ ...A_CARD, name: 1 }, 'name');
    const unchanged = { changed: [], contested: [], takes: false };
    expect(mergeEdit(aState(), anEdit({ name: 0 }), base)).toMatchObject(unchanged); // said by both
    expect(mergeEdit(aState(), anEdit({ name: 1 }), base)).toMatchObject(unchanged); // not changed by the edit
    expect(mergeEdit(aState(), anEdit({}), base)).toMatchObject(unchanged);
  });

  it.each([
    [21, { name: 2, price: 3 }, ['name', 'price'], true],
    [19, { name: 1, price: 3 }, ['price'], false],
  ])('merges by field, and at lamport %i decides what both changed', (clientLamport, kept, changed, isNewer) => {
    const current = aState({ fields: { ...A_CARD, name: 1 } });
    const edit = anEdit({ name: 2, price: 3, note: 0 }, { clientLamport });
    expect(mergeEdit(current, edit, aBase(A_CARD, 'name'))).toEqual({
      fields: { ...A_CARD, ...kept },
      changed,
      contested: ['name'],
      newer: isNewer,
      takes: true,
    });
  });

  it('does not wipe out with an old value what another device has changed', () => {
    const current = aState({ fields: { ...A_CARD, name: 1 } });
    const whole = anEdit({ ...A_CARD, price: 3 });
    expect(mergeEdit(current, whole, aBase(A_CARD, 'name'))).toMatchObject({
      fields: { name: 1, price: 3, note: 0 },
      contested: [],
    });
  });
});

describe('createFrom', () => {
  it('makes a first version of all fields', () => {
    expect(createFrom(A_CARD)).toEqual({
      fields: A_CARD,
      changed: ['name', 'price', 'note'],
      contested: [],
      newer: true,
      takes: true,
    });
  });
});
