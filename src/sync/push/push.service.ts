import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushReceipt } from '../domain/push-outcome.js';
import { GroupCommit } from './group-commit.js';
import { PushAnnouncer } from './push-announcer.js';
import { PushRecorder, type PushWithRecord, type RecordedPush } from './push-recorder.js';

@Injectable()
export class PushService {
  private readonly commits: GroupCommit<PushWithRecord, RecordedPush>;

  constructor(
    database: TenantDatabase,
    recorder: PushRecorder,
    private readonly announcer: PushAnnouncer,
  ) {
    this.commits = new GroupCommit(database, (tx, pushes) => recorder.record(tx, pushes));
  }

  /**
   * Records a push: all its accepted entries or, if this throws, none. A bad entry is an outcome, not an error.
   * @param record is called if any of it is recorded, and only then
   * @throws ProblemError as the guards, of whoever may no longer enter when it is recorded; UNAVAILABLE
   */
  async push(
    bringer: TenantPrincipal,
    command: PushCommand,
    record: PushWithRecord['record'] = () => Promise.resolve(),
  ): Promise<PushReceipt> {
    const push = { bringer, command, arrivedAt: new Date(), record };
    const { plan, at } = await this.commits.run(command.tenantId, command.entries.length, push);
    // After the commit, best effort: losing it delays other devices' pulls, and the sweeps make up for it.
    this.announcer.announce(command, plan);
    return { outcomes: plan.outcomes, serverLamport: plan.clock.lamport, epoch: plan.clock.epoch, at };
  }
}
