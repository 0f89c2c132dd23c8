import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aSale, deviceId, operationId } from '../../../test/support/arbitraries.js';
import type { LoggedOperation, Rivals } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { ProductDeletion } from '../../inventory/domain/product.js';
import { newlyRecorded } from '../../inventory/domain/reference.js';
import { type Contention, decideContention, type Newcomer } from './contention.js';
import { TIER1_RULES } from './tier1.js';

/** Kinds of operation as a shop has them; a claim is a sale or a reservation. */
const OF_KIND = {
  RECEIPT: { kind: 'INCREMENT', reason: 'RESTOCK' },
  SALE: { kind: 'DECREMENT', reason: 'SALE' },
  RESERVATION: { kind: 'DECREMENT', reason: 'RESERVATION' },
  DAMAGE: { kind: 'DECREMENT', reason: 'DAMAGE' },
  COUNT: { kind: 'SET', reason: 'COUNT' },
} as const satisfies Record<string, Pick<Operation, 'kind' | 'reason'>>;
type Kind = keyof typeof OF_KIND;
const KINDS = Object.keys(OF_KIND) as Kind[];
const PAYMENTS = ['PAID', 'PENDING', 'CANCELLED', null] as const;
type Payment = (typeof PAYMENTS)[number];

/** An operation of another device that stands. */
function theirs(
  kind: Kind,
  paymentStatus: Payment,
  fields: Partial<Operation> & { lamport?: number } = {},
): LoggedOperation {
  const { lamport = 9, ...said } = fields;
  const delta = said.delta ?? 3;
  const content = aSale({ ...OF_KIND[kind], paymentStatus, delta, deviceId: deviceId(2), baseLamport: 5, ...said });
  const effect = content.kind === 'INCREMENT' ? delta : -delta;
  return { content, state: newlyRecorded(content, { lamport, effect, disposition: 'APPLIED' }) };
}

function mine(kind: Kind, paymentStatus: Payment, missing: number, base = 5): Newcomer {
  const { kind: operation, reason } = OF_KIND[kind];
  const effect = operation === 'INCREMENT' ? 3 : -3;
  return { kind: operation, reason, paymentStatus, delta: 3, base, effect, missing };
}

/** As the loader reads them: the last count, the last movement, and what was taken. */
function met(...operations: readonly LoggedOperation[]): Rivals {
  const newestFirst = operations.toSorted((a, b) => b.state.lamport - a.state.lamport);
  const last = (isCount: boolean) => newestFirst.find(({ content }) => (content.kind === 'SET') === isCount) ?? null;
  const claims = newestFirst.filter(({ content }) => content.kind === 'DECREMENT');
  return { count: last(true), movement: last(false), takenBack: null, claims };
}

const decide = (
  newcomer: Newcomer,
  rivals: Rivals,
  detection: 'CONTENTION' | 'CONCURRENCY' = 'CONTENTION',
): Contention => decideContention(newcomer, { rivals, deletion: null, detection });

/** What became of the newcomer, and of the other, in a word. */
function fate({ disposition, takenBack, findings }: Contention): string {
  if (disposition === 'APPLIED') return takenBack.length > 0 ? 'WINS' : findings.length > 0 ? 'BOTH' : '-';
  return disposition === 'VOIDED' ? 'YIELDS' : 'HELD';
}

const isClaim = (kind: Kind): boolean => kind === 'SALE' || kind === 'RESERVATION';
const pairs = KINDS.flatMap((a) =>
  PAYMENTS.flatMap((aPays) => KINDS.flatMap((b) => PAYMENTS.map((bPays) => ({ a, aPays, b, bPays })))),
);

/** Two claims where there is enough for one of them only (design, section 7): the newcomer's payment, then the other's. */
const CLAIMS: Readonly<Record<string, string>> = {
  'PAID PAID': 'HELD',
  'PAID PENDING': 'WINS',
  'PAID CANCELLED': 'WINS',
  'PAID null': 'WINS',
  'PENDING PAID': 'YIELDS',
  'PENDING PENDING': 'HELD',
  'PENDING CANCELLED': 'WINS',
  'PENDING null': 'HELD',
  'CANCELLED PAID': 'YIELDS',
  'CANCELLED PENDING': 'YIELDS',
  'CANCELLED CANCELLED': 'HELD',
  'CANCELLED null': 'YIELDS',
  'null PAID': 'YIELDS',
  'null PENDING': 'HELD',
  'null CANCELLED': 'WINS',
  'null null': 'HELD',
};

/** Who the rules say takes precedence where both stand. */
function precedence(a: Kind, aPays: Payment, b: Kind, bPays: Payment): 'A' | 'B' | null {
  if (isClaim(a) && isClaim(b)) {
    const claims = CLAIMS[`${aPays} ${bPays}`];
    return claims === 'WINS' ? 'A' : claims === 'YIELDS' ? 'B' : null;
  }
  const [aTakes, bTakes] = [a, b].map((kind) => OF_KIND[kind].kind === 'DECREMENT');
  if (aTakes && b === 'RECEIPT') return 'A';
  return bTakes && a === 'RECEIPT' ? 'B' : null;
}

describe('an operation that meets a concurrent one', () => {
  it.each(pairs.filter(({ a, b }) => a !== 'COUNT' && b !== 'COUNT'))(
    'stands beside it where there is enough: $a $aPays, $b $bPays',
    ({ a, aPays, b, bPays }) => {
      const rivals = met(theirs(b, bPays));
      expect(decide(mine(a, aPays, 0), rivals)).toEqual({ disposition: 'APPLIED', takenBack: [], findings: [] });
      const recorded = decide(mine(a, aPays, 0), rivals, 'CONCURRENCY');
      expect(recorded).toMatchObject({ disposition: 'APPLIED', takenBack: [] });
      expect(recorded.findings).toMatchObject([
        { kind: 'CONCURRENT_UPDATE', judgement: { verdict: 'BOTH' }, precedence: precedence(a, aPays, b, bPays) },
      ]);
    },
  );

  it.each(pairs.filter(({ a, b }) => OF_KIND[a].kind === 'DECREMENT' && OF_KIND[b].kind === 'DECREMENT'))(
    'competes with it where there is not: $a $aPays, $b $bPays',
    ({ a, aPays, b, bPays }) => {
      const expected = isClaim(a) && isClaim(b) ? CLAIMS[`${aPays} ${bPays}`] : 'HELD'; // what is broken stays broken
      for (const detection of ['CONTENTION', 'CONCURRENCY'] as const) {
        const contention = decide(mine(a, aPays, 1), met(theirs(b, bPays)), detection);
        expect(fate(contention)).toBe(expected);
        expect(contention.findings).toMatchObject([{ kind: 'OVERSELL' }]);
        expect(contention.findings[0]?.judgement === null).toBe(expected === 'HELD');
      }
    },
  );

  it.each(pairs.filter(({ a, b }) => (a === 'COUNT') !== (b === 'COUNT')))(
    'waits until its place before or after a count is known: $a $aPays, $b $bPays',
    ({ a, aPays, b, bPays }) => {
      const contention = decide(mine(a, aPays, 0), met(theirs(b, bPays)));
      expect(fate(contention)).toBe('HELD');
      expect(contention.findings).toMatchObject([{ kind: 'STOCK_COUNT', judgement: null }]);
    },
  );

  it.each([
    ['had seen more', 8, 5, 'BOTH', 'A'],
    ['had seen less', 5, 8, 'YIELDS', 'B'],
    ['had seen as much', 5, 5, 'HELD', null],
    ['met one that nobody knows of how much it had seen', 5, null, 'HELD', null],
  ] as const)(
    'is, as a count, believed against another if its device %s',
    (_what, base, baseLamport, expected, winner) => {
      const contention = decide(mine('COUNT', null, 0, base), met(theirs('COUNT', null, { baseLamport })));
      expect(fate(contention)).toBe(expected);
      expect(contention.findings).toMatchObject([{ kind: 'STOCK_COUNT', precedence: winner }]);
      if (winner) expect(contention.findings).toMatchObject([{ judgement: { verdict: winner, confidence: 0.95 } }]);
    },
  );

  it('waits as the better count, too, if there are movements that neither had seen', () => {
    const rivals = met(theirs('COUNT', null, { lamport: 8 }), theirs('SALE', 'PAID', { operationId: operationId(7) }));
    const contention = decide(mine('COUNT', null, 0, 7), rivals);
    expect(fate(contention)).toBe('HELD');
    expect(contention.findings).toMatchObject([
      { judgement: null, against: { content: { kind: 'DECREMENT' } } },
      { judgement: { verdict: 'A' }, against: { content: { kind: 'SET' } } },
    ]);
  });

  it('takes effect beside a count if it moves nothing, as the sale of what was reserved for it', () => {
    const confirmation = { ...mine('SALE', 'PAID', 0), effect: 0 };
    expect(fate(decide(confirmation, met(theirs('COUNT', null))))).toBe('-');
  });

  it('waits if its product was deleted meanwhile, whatever else it met', () => {
    const deletion: ProductDeletion = {
      ...{ id: operationId(1), deviceId: deviceId(2), clientLamport: 8, editId: operationId(2), deletedLamport: 9 },
      name: 'Goat cheese',
    };
    for (const kind of KINDS) {
      const circumstances = { rivals: met(theirs('SALE', 'PENDING')), deletion, detection: 'CONTENTION' } as const;
      const contention = decideContention(mine(kind, 'PAID', 1), circumstances);
      expect(fate(contention)).toBe('HELD');
      expect(contention.findings).toMatchObject([{ kind: 'DELETED_PRODUCT', against: deletion }]);
    }
  });
});

describe('the steps of an oversell', () => {
  const claim = (number: number, paymentStatus: Payment, delta: number): LoggedOperation =>
    theirs('SALE', paymentStatus, { operationId: operationId(number), delta, lamport: 10 + number });
  const takenBackBy = (contention: Contention): string[] =>
    contention.takenBack.map(({ content }) => content.operationId);

  it('take unpaid claims back for a paid sale, the newest first, and no more than it needs', () => {
    const claims = [claim(1, 'PENDING', 2), claim(2, null, 2), claim(3, 'CANCELLED', 2), claim(4, 'PAID', 2)];
    const contention = decide(mine('SALE', 'PAID', 3), met(...claims));
    expect(fate(contention)).toBe('WINS');
    expect(takenBackBy(contention)).toEqual([operationId(3), operationId(2)]);
    expect(contention.findings).toMatchObject([
      { judgement: { verdict: 'A', confidence: 1 }, against: { content: { operationId: operationId(3) } } },
      { judgement: { verdict: 'A', confidence: 1 }, against: { content: { operationId: operationId(2) } } },
    ]);
  });

  it('hold a paid sale for what other paid ones have, after the unpaid ones have yielded', () => {
    const contention = decide(mine('SALE', 'PAID', 3), met(claim(1, 'PAID', 4), claim(2, 'PENDING', 2)));
    expect(fate(contention)).toBe('HELD');
    expect(takenBackBy(contention)).toEqual([operationId(2)]);
    expect(contention.findings).toMatchObject([
      { judgement: null, against: { content: { operationId: operationId(1) } } },
      { judgement: { verdict: 'A' }, against: { content: { operationId: operationId(2) } } },
    ]);
  });

  it('void an unpaid claim if any that took the goods is paid, and take nothing back for it', () => {
    const contention = decide(mine('SALE', 'PENDING', 3), met(claim(1, 'PAID', 2), claim(2, 'CANCELLED', 2)));
    expect(fate(contention)).toBe('YIELDS');
    expect(takenBackBy(contention)).toEqual([]);
    expect(contention.findings).toMatchObject([{ judgement: { verdict: 'B' }, precedence: 'B' }]);
  });

  it('are not for an unpaid claim that would not have fitted without the others either', () => {
    expect(fate(decide(mine('SALE', 'PENDING', 3), met(claim(1, 'PENDING', 2))))).toBe('-');
  });

  it('let a paid sale stand with what nobody else took still missing', () => {
    expect(fate(decide(mine('SALE', 'PAID', 5), met(claim(1, 'PENDING', 2))))).toBe('WINS');
    expect(fate(decide(mine('SALE', 'PAID', 5), met()))).toBe('-');
  });
});

describe('the rules of tier 1', () => {
  const competitors = fc.record({
    kind: fc.constantFrom('INCREMENT' as const, 'DECREMENT' as const, 'SET' as const),
    reason: fc.constantFrom('SALE' as const, 'RESERVATION' as const, 'DAMAGE' as const, 'RESTOCK' as const),
    paymentStatus: fc.constantFrom(...PAYMENTS),
    delta: fc.integer({ min: 1, max: 9 }),
    base: fc.option(fc.integer({ min: 0, max: 3 })),
  });

  it.each(TIER1_RULES)('$name says the same whichever of the two comes first', ({ judge }) => {
    fc.assert(
      fc.property(competitors, competitors, (a, b) => {
        const [forth, back] = [judge(a, b), judge(b, a)];
        expect(back?.verdict).toBe(forth && (forth.verdict === 'A' ? 'B' : 'A'));
        expect(back?.confidence).toBe(forth?.confidence);
      }),
      { numRuns: 500 },
    );
  });
});
