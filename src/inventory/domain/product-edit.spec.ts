import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aProductEdit, productEdits } from '../../../test/support/state-arbitraries.js';
import { NO_EDITS, type EditBase, mergeEdit } from '../../states/domain/merge.js';
import { decideProductEdit } from './product-edit.js';
import type { Product, ProductEdit, ProductFields } from './product.js';

const CHEESE: ProductFields = {
  name: 'Cheese',
  description: null,
  price: 1,
  sku: 'A',
  category: null,
  reorderPoint: null,
  isDeleted: false,
};

/** Last changed at lamport 20, by the second device at its lamport 10. */
function aProduct(fields: Partial<ProductFields> = {}): Product {
  const { id, editId } = aProductEdit();
  const stands = { ...CHEESE, ...fields };
  return {
    ...{ id, editId, fields: stands, version: 2, lamport: 20, clientLamport: 10 },
    ...{ deviceId: 'dddddddd-0000-4000-8000-000000000002', updatedBy: null },
    deletedLamport: stands.isDeleted ? 20 : null,
  };
}

const said = (fields: Partial<ProductFields>, clientLamport: number): ProductEdit =>
  aProductEdit({ said: fields, clientLamport });
const newer = (fields: Partial<ProductFields>): ProductEdit => said(fields, 21);
const stale = (fields: Partial<ProductFields>): ProductEdit => said(fields, 20);

/** The product as it was created; others have deleted it since, and perhaps changed it. */
const aliveBase = (...changedByOthers: (keyof ProductFields)[]): EditBase => ({
  fields: { ...CHEESE },
  changedByOthers: new Set(['isDeleted', ...changedByOthers]),
  othersLamport: 20,
  own: NO_EDITS,
});

const bases: fc.Arbitrary<EditBase> = fc
  .record({
    edit: productEdits,
    changed: fc.subarray(Object.keys(CHEESE)),
  })
  .map(({ edit, changed }) => ({
    fields: { ...CHEESE, ...edit.said },
    changedByOthers: new Set(changed),
    othersLamport: 20,
    own: NO_EDITS,
  }));

const IGNORED_WITHOUT_CONFLICT = { verdict: 'IGNORE', merge: { changed: [], contested: [], takes: false } };

describe('decideProductEdit, of a new product', () => {
  it('makes it of what is said, and blanks of the rest', () => {
    expect(decideProductEdit(undefined, newer({ name: 'Honey', price: 2.5 }), undefined)).toEqual({
      verdict: 'WRITE',
      merge: {
        fields: { ...CHEESE, name: 'Honey', price: 2.5, sku: null },
        changed: ['description', 'price', 'sku', 'category', 'reorderPoint', 'isDeleted', 'name'],
        contested: [],
        newer: true,
        takes: true,
      },
    });
  });

  it('takes any that has a name, whatever its lamport, and no other', () => {
    fc.assert(
      fc.property(productEdits, (edit) => {
        const verdict = decideProductEdit(undefined, edit, undefined);
        if (edit.said.name === undefined) {
          expect(verdict).toEqual({ verdict: 'REJECT', code: 'VALIDATION', missing: 'name' });
        } else expect(verdict).toMatchObject({ verdict: 'WRITE', merge: { fields: edit.said } });
      }),
    );
  });

  it('takes one that is deleted from the start: a tombstone that others may have heard of', () => {
    expect(decideProductEdit(undefined, newer({ name: 'Honey', isDeleted: true }), undefined)).toMatchObject({
      verdict: 'WRITE',
      merge: { fields: { isDeleted: true } },
    });
  });
});

describe('decideProductEdit, of a living product', () => {
  it('merges, and writes what takes', () => {
    fc.assert(
      fc.property(productEdits, fc.option(bases, { nil: undefined }), (edit, base) => {
        const merge = mergeEdit(aProduct(), edit, base);
        expect(decideProductEdit(aProduct(), edit, base)).toEqual({ verdict: merge.takes ? 'WRITE' : 'IGNORE', merge });
      }),
    );
  });

  it('deletes it by an edit that is newer, or that has a base on which nobody else deleted it', () => {
    expect(decideProductEdit(aProduct(), newer({ isDeleted: true }), undefined)).toMatchObject({ verdict: 'WRITE' });
    expect(decideProductEdit(aProduct(), stale({ isDeleted: true }), undefined)).toMatchObject({ verdict: 'IGNORE' });
    const base: EditBase = {
      fields: { ...CHEESE },
      changedByOthers: new Set(['name']),
      othersLamport: 20,
      own: NO_EDITS,
    };
    expect(decideProductEdit(aProduct({ name: 'Honey' }), stale({ isDeleted: true }), base)).toMatchObject({
      verdict: 'WRITE',
      merge: { fields: { name: 'Honey', isDeleted: true }, contested: [] },
    });
  });
});

describe('decideProductEdit, of a tombstone', () => {
  const tombstone = aProduct({ isDeleted: true });

  it('makes it live again by a newer edit that says so, with all else that it says', () => {
    expect(decideProductEdit(tombstone, newer({ isDeleted: false, name: 'Honey' }), undefined)).toMatchObject({
      verdict: 'WRITE',
      merge: { fields: { ...CHEESE, name: 'Honey', isDeleted: false }, changed: ['isDeleted', 'name'], contested: [] },
    });
  });

  it('refuses a newer edit that does not say whether it lives', () => {
    for (const fields of [{ name: 'Honey' }, {}]) {
      expect(decideProductEdit(tombstone, newer(fields), undefined)).toEqual({
        verdict: 'REJECT',
        code: 'PRODUCT_DELETED',
      });
    }
  });

  it('is never brought to life by a stale edit or by a merge, and is left just as it is', () => {
    fc.assert(
      fc.property(productEdits, fc.option(bases, { nil: undefined }), (edit, base) => {
        const verdict = decideProductEdit(tombstone, edit, base);
        const own = edit.deviceId === tombstone.deviceId;
        const isNewer = edit.clientLamport > (own ? tombstone.clientLamport : tombstone.lamport);
        if (!base && isNewer && edit.said.isDeleted !== true) return; // the two cases above
        expect(verdict).toMatchObject({
          verdict: 'IGNORE',
          merge: { fields: tombstone.fields, changed: [], takes: false, newer: false },
        });
      }),
    );
  });

  it('keeps what a stale edit says otherwise for the conflict log', () => {
    expect(decideProductEdit(tombstone, stale({ name: 'Honey', price: 1 }), undefined)).toMatchObject({
      verdict: 'IGNORE',
      merge: { contested: ['name'], newer: false },
    });
  });

  it('keeps all that a merge would have taken, for the device took the product for alive', () => {
    const edit = newer({ name: 'Honey', price: 2.5, sku: 'A', isDeleted: false });
    expect(decideProductEdit(tombstone, edit, aliveBase('price'))).toMatchObject({
      verdict: 'IGNORE',
      merge: { contested: ['name', 'price'], newer: false },
    });
  });

  it.each([
    ['stale', stale({ isDeleted: true }), undefined],
    ['newer', newer({ isDeleted: true }), undefined],
    ['newer, with all the rest', newer({ ...CHEESE, isDeleted: true, name: 'Honey' }), undefined],
    ['made when it lived', stale({ isDeleted: true, name: 'Honey' }), aliveBase()],
  ])('is not deleted again by an edit that is %s, and there is nothing to dispute', (_what, edit, base) => {
    expect(decideProductEdit(tombstone, edit, base)).toMatchObject(IGNORED_WITHOUT_CONFLICT);
  });

  it('has nothing to dispute with an edit that was made when it lived and says what was there', () => {
    expect(decideProductEdit(tombstone, newer({ ...CHEESE }), aliveBase())).toMatchObject(IGNORED_WITHOUT_CONFLICT);
  });

  it('keeps for the conflict log that a stale edit wanted it alive', () => {
    expect(decideProductEdit(tombstone, stale({ isDeleted: false }), undefined)).toMatchObject({
      verdict: 'IGNORE',
      merge: { contested: ['isDeleted'], newer: false },
    });
  });
});
