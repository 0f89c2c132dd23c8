/** Which of the two that compete stands: the later to the server (A), what it met there (B), both or neither. */
export const VERDICTS = ['A', 'B', 'BOTH', 'NEITHER'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a rule, a scorer or a person says of a conflict. */
export interface Judgement {
  readonly verdict: Verdict;
  /** From 0 to 1: how sure it is. */
  readonly confidence: number;
  /** A sentence for the shop's people. */
  readonly reason: string;
}

/** Who decides: the rules in the push, the heuristics after it, or people (design, section 7). */
export const RESOLUTION_METHODS = ['HARDCODED', 'HEURISTIC', 'MANUAL'] as const;
export type ResolutionMethod = (typeof RESOLUTION_METHODS)[number];

/** One that was asked about a conflict, and its answer; null if it had none. */
export interface Decision {
  readonly tier: ResolutionMethod;
  /** Of the rule or scorer, as the trail keeps it for ever; of a person's, who it was. */
  readonly name: string;
  readonly answer: Judgement | null;
}

/** The same judgement with the sides changed. */
export const MIRROR = { A: 'B', B: 'A', BOTH: 'BOTH', NEITHER: 'NEITHER' } as const satisfies Record<Verdict, Verdict>;
