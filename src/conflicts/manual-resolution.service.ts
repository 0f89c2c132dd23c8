import { Injectable, Logger } from '@nestjs/common';
import { toProblem } from '../problems/problem.filter.js';
import { ProblemError } from '../problems/problem.js';
import type { PersonPrincipal } from '../tenancy/domain/principal.js';
import { ConflictsService } from './conflicts.service.js';
import type { RecordedConflict } from './domain/conflict.js';
import type { DetailedConflict } from './domain/conflict-log.js';
import type { ResolutionEntry, ResolutionOutcome } from './domain/resolution-batch.js';
import type { ResolutionOrder } from './domain/resolution-order.js';
import { ResolutionService } from './resolution.service.js';

/** Whoever waits for the answer to a batch gives up not long after, and so do proxies. */
const BATCH_MAX_MS = 20_000;

/** What staff decide of conflicts. */
@Injectable()
export class ManualResolutionService {
  private readonly logger = new Logger(ManualResolutionService.name);

  constructor(
    private readonly resolutions: ResolutionService,
    private readonly conflicts: ConflictsService,
  ) {}

  /**
   * Settles a conflict; the same again changes nothing.
   * @throws ProblemError NOT_FOUND, VALIDATION, ALREADY_RESOLVED, RESOLUTION_OVERTAKEN
   */
  async resolve(
    { tenantId, userId }: PersonPrincipal,
    conflictId: string,
    order: ResolutionOrder,
  ): Promise<DetailedConflict> {
    const settled = await this.resolutions.resolve(tenantId, userId, conflictId, order);
    return one(await this.conflicts.detail(tenantId, [settled]), settled);
  }

  /** Settles several, in order, each in a transaction of its own: none keeps another from being settled. */
  async resolveMany(
    person: PersonPrincipal,
    entries: readonly ResolutionEntry[],
  ): Promise<ResolutionOutcome<DetailedConflict>[]> {
    const until = performance.now() + BATCH_MAX_MS;
    const outcomes: ResolutionOutcome<RecordedConflict>[] = [];
    // One after the other: at once they would wait for the tenant's clock all the same, each on a connection.
    for (const entry of entries) outcomes.push(await this.settle(person, entry, performance.now() < until));
    const settled = outcomes.flatMap((outcome) => (outcome.status === 'resolved' ? [outcome.conflict] : []));
    const detailed = await this.conflicts.detail(person.tenantId, settled);
    return outcomes.map((outcome) =>
      outcome.status === 'refused' ? outcome : { ...outcome, conflict: one(detailed, outcome.conflict) },
    );
  }

  private async settle(
    { tenantId, userId }: PersonPrincipal,
    entry: ResolutionEntry,
    inTime: boolean,
  ): Promise<ResolutionOutcome<RecordedConflict>> {
    const { conflictId } = entry;
    const refused = (problem: ProblemError) => ({ status: 'refused', conflictId, problem }) as const;
    if (!entry.readable) return refused(new ProblemError('VALIDATION', { errors: entry.errors }));
    if (!inTime) return refused(new ProblemError('UNAVAILABLE', { detail: 'Those before it took too long.' }));
    try {
      const conflict = await this.resolutions.resolve(tenantId, userId, entry.conflictId, entry.order);
      return { status: 'resolved', conflictId: conflict.id, conflict };
    } catch (error) {
      if (error instanceof ProblemError) return refused(within(entry.path, error));
      this.logger.error({ err: error, tenantId, conflictId }, 'A conflict could not be settled');
      return refused(toProblem(error));
    }
  }
}

function one(detailed: readonly DetailedConflict[], { id }: RecordedConflict): DetailedConflict {
  const found = detailed.find(({ conflict }) => conflict.id === id);
  if (!found) throw new Error(`There are no details of conflict ${id}`);
  return found;
}

/** The same problem, with its fields named as they are in the batch. */
function within(path: string, problem: ProblemError): ProblemError {
  const { errors } = problem.details;
  if (!errors) return problem;
  const renamed = errors.map((error) => ({ ...error, path: `${path}.${error.path}` }));
  return new ProblemError(problem.code, { ...problem.details, errors: renamed });
}
