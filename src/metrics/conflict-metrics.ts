import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

/** How many conflicts there are, and who settles them. To be told after the commit. */
@Injectable()
export class ConflictMetrics {
  private readonly found: Counter<'kind'>;
  private readonly decided: Counter<'kind' | 'tier' | 'outcome'>;
  private readonly leftToPeople: Counter<'kind'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.found = new Counter({
      name: 'agrotour_conflicts_detected_total',
      help: 'Conflicts that were written to the conflict log.',
      labelNames: ['kind'],
      registers,
    });
    this.decided = new Counter({
      name: 'agrotour_conflicts_settled_total',
      help: 'Conflicts that were settled, by a rule (HARDCODED), by heuristics or by a person (MANUAL).',
      labelNames: ['kind', 'tier', 'outcome'],
      registers,
    });
    this.leftToPeople = new Counter({
      name: 'agrotour_conflicts_suggested_total',
      help: 'Conflicts that the heuristics left to a person, with a suggestion.',
      labelNames: ['kind'],
      registers,
    });
  }

  /** @param kind such as OVERSELL */
  detected(kind: string): void {
    this.found.inc({ kind });
  }

  /**
   * @param tier HARDCODED, HEURISTIC or MANUAL
   * @param outcome A, B, BOTH or NEITHER
   */
  settled(kind: string, tier: string, outcome: string): void {
    this.decided.inc({ kind, tier, outcome });
  }

  suggested(kind: string): void {
    this.leftToPeople.inc({ kind });
  }
}
