import type { AgreementDto, ConflictCountDto, ConflictStatsDto } from './conflict-stats.dto.js';
import { CONFLICT_KINDS, type ConflictAwaits } from './domain/conflict.js';
import type { ConflictCount, ConflictStats } from './domain/conflict-log.js';
import { RESOLUTION_METHODS } from './domain/verdict.js';

export function toConflictStatsWire({ counts, times }: ConflictStats): ConflictStatsDto {
  const pending = counts.filter(({ status }) => status === 'PENDING');
  const waiting = (awaits: ConflictAwaits): number => sum(pending.filter((one) => one.awaits === awaits));
  const [oldest] = pending.map(({ detectedAt }) => detectedAt).sort((a, b) => a.valueOf() - b.valueOf());
  return {
    total: sum(counts),
    counts: CONFLICT_KINDS.flatMap((kind) => toCountsWire(counts.filter((one) => one.kind === kind))),
    pending: {
      ...{ heuristic: waiting('HEURISTIC'), person: waiting('PERSON') },
      oldest_detected_at: oldest?.toISOString() ?? null,
    },
    settled: RESOLUTION_METHODS.flatMap((method) =>
      times
        .filter((one) => one.method === method)
        .map(({ count, meanSeconds, medianSeconds }) => ({
          ...{ method, count, mean_seconds: rounded(meanSeconds), median_seconds: rounded(medianSeconds) },
        })),
    ),
    agreement: CONFLICT_KINDS.flatMap((kind) => toAgreementWire(kind, counts)),
  };
}

/** Pending ones are counted together, whatever they wait for: `pending` tells these apart. */
function toCountsWire(counts: readonly ConflictCount[]): ConflictCountDto[] {
  const found = new Map<string, ConflictCountDto>();
  for (const { kind, status, method, verdict, count } of counts) {
    const key = [status, method, verdict].join();
    found.set(key, { kind, status, method, verdict, count: count + (found.get(key)?.count ?? 0) });
  }
  return [...found].sort(([a, one], [b, two]) => two.count - one.count || (a < b ? -1 : 1)).map(([, count]) => count);
}

function toAgreementWire(kind: ConflictCount['kind'], counts: readonly ConflictCount[]): AgreementDto[] {
  const ofKind = counts.filter((one) => one.kind === kind);
  const decided = ofKind.reduce((total, { suggested }) => total + suggested, 0);
  const agreed = ofKind.reduce((total, one) => total + one.agreed, 0);
  return decided === 0 ? [] : [{ kind, decided, agreed, rate: rounded(agreed / decided) }];
}

function sum(counts: readonly ConflictCount[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

/** To thousandths. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
