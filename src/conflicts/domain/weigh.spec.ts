import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Scorer } from './scorer.js';
import { aContestant } from './scorers/contestants.fuzz.js';
import { type Judgement, MIRROR, VERDICTS } from './verdict.js';
import { asConfidence, ask, combine, LIKELY_MAX } from './weigh.js';

const says = (
  verdict: Judgement['verdict'],
  confidence: number,
  reason = `${verdict} by ${confidence}.`,
): Judgement => ({
  ...{ verdict, confidence, reason },
});

const confidences = fc.oneof(
  fc.double({ min: 0.5, max: LIKELY_MAX, noNaN: true }),
  fc.constantFrom(0.5, 0.6, 0.75, 0.9, LIKELY_MAX),
);
const verdicts = fc.constantFrom(...VERDICTS);
const judgements = fc
  .record({ verdict: verdicts, confidence: confidences, reason: fc.constantFrom('One.', 'Two.', 'Three.') })
  .map(({ verdict, confidence, reason }) => says(verdict, confidence, reason));
const answers = fc.array(judgements, { maxLength: 6 });

describe('asConfidence', () => {
  it.each([
    [0.123, 0.5],
    [0.5, 0.5],
    [0.84134, 0.8413],
    [0.99901, LIKELY_MAX],
    [1, LIKELY_MAX],
  ])('makes of %p %p', (probability, confidence) => {
    expect(asConfidence(probability)).toBe(confidence);
  });
});

describe('combine', () => {
  it('has nothing to say of nothing', () => {
    expect(combine([])).toBeUndefined();
    expect(combine([says('A', 0.5)])).toBeUndefined();
    expect(combine([says('BOTH', 0.9), says('NEITHER', 0.8)])).toBeUndefined();
  });

  it('leaves a single answer as it is', () => {
    fc.assert(
      fc.property(confidences, fc.constantFrom('A', 'B'), (confidence, verdict) => {
        fc.pre(asConfidence(confidence) > 0.5);
        const answer = says(verdict, asConfidence(confidence));
        expect(combine([answer])).toEqual(answer);
      }),
    );
  });

  it.each([
    // 0.9 is nine to one, 0.8 four to one, 0.75 three to one.
    ['what agrees adds up', [says('A', 0.9), says('A', 0.8)], says('A', 0.973, 'A by 0.9. A by 0.8.')],
    [
      'what is opposed is taken off',
      [says('A', 0.75), says('B', 0.9)],
      says('B', 0.75, 'B by 0.9. Against that: A by 0.75.'),
    ],
    ['even evidence is none', [says('A', 0.8), says('B', 0.8)], undefined],
    ['nine to one is twice three to one', [says('A', 0.9), says('B', 0.75), says('B', 0.75)], undefined],
    [
      'two thousand to one is no certainty',
      [says('A', 0.999), says('A', 0.999)],
      says('A', 0.999, 'A by 0.999. A by 0.999.'),
    ],
    [
      'what is known is not outvoted',
      [says('A', 0.999), says('B', 1)],
      says('B', 1, 'B by 1. Against that: A by 0.999.'),
    ],
    ['two that are certain of the opposite', [says('A', 1), says('B', 1), says('A', 0.9)], undefined],
  ])('%s', (_law, said, combined) => {
    expect(combine(said)).toEqual(combined);
  });

  it('does not mind the order of the answers', () => {
    fc.assert(
      fc.property(
        answers.chain((said) => fc.tuple(fc.constant(said), fc.shuffledSubarray(said, { minLength: said.length }))),
        ([said, shuffled]) => {
          expect(combine(shuffled)).toEqual(combine(said));
        },
      ),
    );
  });

  it('gives the mirrored verdict for mirrored answers', () => {
    fc.assert(
      fc.property(answers, (said) => {
        const combined = combine(said);
        const mirrored = said.map((answer) => ({ ...answer, verdict: MIRROR[answer.verdict] }));
        expect(combine(mirrored)).toEqual(combined && { ...combined, verdict: MIRROR[combined.verdict] });
      }),
    );
  });

  it('is sure of something by more than one half, and never certain of what is likely', () => {
    fc.assert(
      fc.property(answers, (said) => {
        const combined = combine(said);
        if (!combined) return;
        expect(combined.confidence).toBeGreaterThan(0.5);
        expect(combined.confidence).toBeLessThanOrEqual(LIKELY_MAX);
      }),
    );
  });

  it('is no less sure with one more that agrees', () => {
    fc.assert(
      fc.property(answers, confidences, (said, confidence) => {
        const before = combine(said);
        fc.pre(before !== undefined);
        const after = combine([...said, says(before.verdict, confidence)]);
        expect(after?.verdict).toBe(before.verdict);
        expect(after?.confidence).toBeGreaterThanOrEqual(before.confidence);
      }),
    );
  });

  it('is no surer with one more that disagrees', () => {
    fc.assert(
      fc.property(answers, confidences, (said, confidence) => {
        const before = combine(said);
        fc.pre(before !== undefined);
        const after = combine([...said, says(MIRROR[before.verdict], confidence)]);
        if (after?.verdict === before.verdict) expect(after.confidence).toBeLessThanOrEqual(before.confidence);
      }),
    );
  });

  it('does not argue with what weighs nothing', () => {
    expect(combine([says('A', 0.9), says('A', 0.5), says('B', 0.5)])).toEqual(says('A', 0.9));
  });

  it('gives every reason that weighed, once', () => {
    const weighing = confidences.filter((confidence) => confidence > 0.5);
    fc.assert(
      fc.property(fc.array(weighing, { minLength: 1, maxLength: 5 }), (said) => {
        const all = said.map((confidence, index) => says(index % 2 ? 'A' : 'B', confidence, `(${index})`));
        const reason = combine(all)?.reason;
        if (reason !== undefined) expect([...reason.matchAll(/\(\d\)/g)]).toHaveLength(said.length);
      }),
    );
  });
});

describe('ask', () => {
  const scorer = (name: string, answer: Judgement | undefined): Scorer => ({ name, score: () => answer });
  const [a, b] = [aContestant(), aContestant()];

  it('combines what was answered, and keeps of each that was asked what it said', () => {
    const [one, other] = [says('A', 0.8), says('B', 0.6)];
    expect(ask([scorer('one', one), scorer('silent', undefined), scorer('other', other)], a, b)).toEqual({
      combined: combine([one, other]),
      decisions: [
        { tier: 'HEURISTIC', name: 'one', answer: one },
        { tier: 'HEURISTIC', name: 'silent', answer: null },
        { tier: 'HEURISTIC', name: 'other', answer: other },
      ],
    });
  });

  it('ends with one that is certain, whatever was said before', () => {
    const certain = says('B', 1);
    const asked = ask([scorer('one', says('A', 0.9)), scorer('knows', certain), scorer('other', says('A', 1))], a, b);
    expect(asked.combined).toEqual(certain);
    expect(asked.decisions.map(({ name }) => name)).toEqual(['one', 'knows']);
  });

  it('hands on the two in their places', () => {
    const [one, other] = [aContestant({ id: 'one' }), aContestant({ id: 'other' })];
    const tells: Scorer = { name: 'tells', score: (first, second) => says('A', 0.7, `${first.id}, ${second.id}`) };
    expect(ask([tells], one, other).combined?.reason).toBe('one, other');
  });

  it('comes to nothing if none answers', () => {
    expect(ask([scorer('silent', undefined)], a, b).combined).toBeUndefined();
    expect(ask([], a, b)).toEqual({ decisions: [], combined: undefined });
  });
});
