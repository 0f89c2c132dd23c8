import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { type AccessState, assertAdmitted, refusalOf } from './admission.js';
import { hasExpired, type Principal, type TenantPrincipal } from './domain/principal.js';
import { type AccessStates, TenantRepository } from './persistence/tenant.repository.js';

/** Who may no longer enter goes on receiving for no longer than this. */
const READMIT_EVERY_MS = 1_000;
/** How long an answer will do for those who ask again before they write. */
const RECENT_MS = 1_000;

/** Whether the bearer of a valid token may enter now: asked of the database on every request, so revocation is immediate. */
@Injectable()
export class AccessService {
  /** By tenant: what is asked now, and what those have come to ask since. */
  private readonly questions = new Map<string, { next: Question | undefined }>();
  /** By bearer, the oldest first. */
  private readonly recent = new Map<string, { readonly state: AccessState; readonly askedAt: number }>();

  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  /** @throws ProblemError UNAUTHENTICATED, TENANT_SUSPENDED, DEVICE_UNKNOWN, DEVICE_REVOKED or TOKEN_REVOKED. */
  async admit(principal: Principal): Promise<void> {
    if (hasExpired(principal, Date.now()))
      throw new ProblemError('UNAUTHENTICATED', { detail: 'The token has expired.' });
    if (principal.role === 'operator') return;
    const deviceId = deviceIdOf(principal);
    const askedAt = performance.now();
    const state = (await this.ask(principal.tenantId, deviceId))(deviceId);
    this.remember(principal, state, askedAt);
    assertAdmitted(principal, state);
  }

  /**
   * As `admit`, for what asks the database again before it writes (admission.ts): whoever might enter within the last second
   * is not asked about. A refusal is always new.
   */
  async admitForNow(principal: TenantPrincipal): Promise<void> {
    const known = this.recent.get(keyOf(principal));
    const isRecent = known !== undefined && performance.now() - known.askedAt < RECENT_MS;
    if (isRecent && !hasExpired(principal, Date.now()) && !refusalOf(principal, known.state)) return;
    await this.admit(principal);
  }

  /** Nothing is kept for longer than it is of use, once somebody asks. */
  private remember(principal: TenantPrincipal, state: AccessState, askedAt: number): void {
    const key = keyOf(principal);
    this.recent.delete(key);
    this.recent.set(key, { state, askedAt });
    for (const [old, { askedAt: then }] of this.recent) {
      if (askedAt - then < RECENT_MS) break;
      this.recent.delete(old);
    }
  }

  /**
   * Asks the database, from now on. Those of one tenant who come while it is being asked share the next question: forty
   * tills that push at once are two questions.
   */
  private ask(tenantId: string, deviceId: string | null): Promise<AccessStates> {
    const turn = this.questions.get(tenantId);
    if (!turn) {
      const first = { next: undefined };
      this.questions.set(tenantId, first);
      return this.take(tenantId, first, new Set([deviceId]));
    }
    turn.next ??= new Question();
    turn.next.deviceIds.add(deviceId);
    return turn.next.answer;
  }

  private async take(
    tenantId: string,
    turn: { next: Question | undefined },
    deviceIds: ReadonlySet<string | null>,
  ): Promise<AccessStates> {
    try {
      const asked = [...deviceIds].filter((id) => id !== null);
      return await this.database.flight(tenantId, (tx) => this.tenants.accessStates(tx, asked), { keepPlans: true });
    } finally {
      const { next } = turn;
      turn.next = undefined;
      if (next) next.settle(this.take(tenantId, turn, next.deviceIds));
      else this.questions.delete(tenantId);
    }
  }

  /**
   * For whoever receives for long: runs `work`, and calls `cutOff`, with the reason, once they may no longer enter. Asks on
   * a connection of its own: in a snapshot a revocation is never seen.
   */
  async whileAdmitted<T>(
    principal: Principal,
    cutOff: (reason: ProblemError) => void,
    work: () => Promise<T>,
  ): Promise<T> {
    let asking = false;
    const timer = setInterval(() => {
      if (asking) return; // the pool has no connection to spare: the question waits, and others must not queue behind it
      asking = true;
      void this.admit(principal)
        .catch((error: unknown) => {
          // Only a verdict counts. That nobody could be asked is none, and the next second asks again.
          if (error instanceof ProblemError) cutOff(error);
        })
        .finally(() => {
          asking = false;
        });
    }, READMIT_EVERY_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}

/** One that waits to be asked, until the one before is answered. */
class Question {
  readonly deviceIds = new Set<string | null>();
  readonly answer: Promise<AccessStates>;
  settle: (answer: Promise<AccessStates>) => void = () => undefined;

  constructor() {
    this.answer = new Promise((resolve) => {
      this.settle = resolve;
    });
  }
}

const deviceIdOf = (principal: TenantPrincipal): string | null =>
  principal.role === 'device' ? principal.deviceId : null;

const keyOf = (principal: TenantPrincipal): string => `${principal.tenantId} ${deviceIdOf(principal) ?? ''}`;
