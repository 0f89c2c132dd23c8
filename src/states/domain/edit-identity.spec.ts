import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editIdentity } from './edit-identity.js';
import type { Edit, Entity, Scalar } from './state.js';

const TENANT = 'aaaaaaaa-0000-4000-8000-000000000001';

/** The arguments of editIdentity. */
interface Said {
  readonly tenantId: string;
  readonly entity: Entity;
  readonly edit: Omit<Edit<Record<string, Scalar>>, 'editId'>;
  readonly besides: Record<string, Scalar>;
}

const AN_EDIT: Said = {
  tenantId: TENANT,
  entity: 'PRODUCT',
  edit: {
    id: 'bbbbbbbb-0000-4000-8000-000000000001',
    deviceId: 'dddddddd-0000-4000-8000-000000000001',
    clientLamport: 7,
    baseVersion: 3,
    said: { name: 'Cheese', price: 2.5, sku: null },
  },
  besides: { currentStock: 5, updatedBy: null },
};

const identityOf = ({ tenantId, entity, edit, besides }: Said): string => editIdentity(tenantId, entity, edit, besides);

const scalars = fc.constantFrom<Scalar>(null, '', 'x', '1', 0, 1, true, false);
const edits: fc.Arbitrary<Said> = fc.record({
  tenantId: fc.constantFrom(TENANT, 'aaaaaaaa-0000-4000-8000-000000000002'),
  entity: fc.constantFrom<Entity>('PRODUCT', 'PAYMENT'),
  edit: fc.record({
    id: fc.constantFrom('a', 'b'),
    deviceId: fc.constantFrom('a', 'b'),
    clientLamport: fc.nat({ max: 2 }),
    baseVersion: fc.constantFrom(null, 1, 2),
    said: fc.dictionary(fc.constantFrom('name', 'notes'), scalars, { noNullPrototype: true }),
  }),
  besides: fc.record({ currentStock: fc.constantFrom(null, 0, 1), updatedBy: fc.constantFrom(null, 'a') }),
});

describe('editIdentity', () => {
  it('stays what it is from one version of the service to the next, or what is sent again would count twice', () => {
    expect(identityOf(AN_EDIT)).toBe('7ee53bef-6e26-5bcd-950b-29b88ae186de');
  });

  it('is the same for the same edit, in whatever order its fields stand', () => {
    const { edit } = AN_EDIT;
    const said = Object.fromEntries(Object.entries(edit.said).reverse());
    expect(identityOf({ ...AN_EDIT, edit: { ...edit, said } })).toBe(identityOf(AN_EDIT));
  });

  it.each<[what: string, change: Partial<Said>]>([
    ['tenant', { tenantId: 'aaaaaaaa-0000-4000-8000-000000000002' }],
    ['kind of state', { entity: 'PAYMENT' }],
    ['state', { edit: { ...AN_EDIT.edit, id: 'bbbbbbbb-0000-4000-8000-000000000002' } }],
    ['device', { edit: { ...AN_EDIT.edit, deviceId: 'dddddddd-0000-4000-8000-000000000002' } }],
    ['lamport', { edit: { ...AN_EDIT.edit, clientLamport: 8 } }],
    ['base', { edit: { ...AN_EDIT.edit, baseVersion: null } }],
    ['value', { edit: { ...AN_EDIT.edit, said: { ...AN_EDIT.edit.said, price: 2.51 } } }],
    ['value of another type', { edit: { ...AN_EDIT.edit, said: { ...AN_EDIT.edit.said, price: '2.5' } } }],
    ['opening balance', { besides: { ...AN_EDIT.besides, currentStock: 6 } }],
    ['user', { besides: { ...AN_EDIT.besides, updatedBy: TENANT } }],
  ])('is another with another %s', (_what, change) => {
    expect(identityOf({ ...AN_EDIT, ...change })).not.toBe(identityOf(AN_EDIT));
  });

  it('tells a field that is emptied from one that is left out', () => {
    const { edit } = AN_EDIT;
    expect(identityOf({ ...AN_EDIT, edit: { ...edit, said: { name: 'Cheese', price: 2.5 } } })).not.toBe(
      identityOf(AN_EDIT),
    );
  });

  it('tells any two edits apart', () => {
    fc.assert(
      fc.property(edits, edits, (a, b) => {
        expect(identityOf(a) === identityOf(b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 1_000 },
    );
  });
});
