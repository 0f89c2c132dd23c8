import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { assertDeviceAdmitted } from '../../tenancy/admission.js';
import { recordingTime } from '../../tenancy/domain/lamport-clock.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import { decidePush, type PushPlan } from '../domain/decide-push.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushOutcome, PushReceipt } from '../domain/push-outcome.js';
import { GroupCommit } from './group-commit.js';
import { PushAnnouncer } from './push-announcer.js';
import { PushContextLoader } from './push-context.loader.js';
import { PushPlanWriter } from './push-plan.writer.js';

/** Writes what belongs to a push, in its transaction. */
type BesidePush = (tx: TenantTransaction, outcomes: readonly PushOutcome[]) => Promise<void>;

@Injectable()
export class PushService {
  constructor(
    private readonly contexts: PushContextLoader,
    private readonly plans: PushPlanWriter,
    private readonly devices: DeviceRepository,
    private readonly commits: GroupCommit,
    private readonly announcer: PushAnnouncer,
  ) {}

  /**
   * Records a push: all its accepted entries or, if this throws, none. A bad entry is an outcome, not an error.
   * @param bringer the device itself; or a person, whose bringing doesn't tell when the device was here, nor whether it is
   *   a clone
   * @param record is called if any of it is recorded, and only then
   * @throws ProblemError as the guards, of whoever may no longer enter when it is recorded; UNAVAILABLE
   */
  async push(
    bringer: TenantPrincipal,
    command: PushCommand,
    record: BesidePush = () => Promise.resolve(),
  ): Promise<PushReceipt> {
    const arrivedAt = new Date();
    const { plan, at } = await this.commits.run(command.tenantId, command.entries.length, (tx) =>
      this.write(tx, bringer, command, arrivedAt, record),
    );
    // After the commit, best effort: losing it delays other devices' pulls, and the sweeps make up for it.
    this.announcer.announce(command, plan);
    return { outcomes: plan.outcomes, serverLamport: plan.clock.lamport, epoch: plan.clock.epoch, at };
  }

  private async write(
    tx: TenantTransaction,
    bringer: TenantPrincipal,
    command: PushCommand,
    arrivedAt: Date,
    record: BesidePush,
  ): Promise<{ plan: PushPlan; at: Date }> {
    const context = await this.contexts.load(tx, bringer, command, arrivedAt);
    const plan = decidePush(command, context);
    const at = new Date(recordingTime(context.clock, Date.now()));
    const recorded = plan.clock.lamport > context.clock.lamport;
    const isDevice = bringer.role === 'device';
    // In one flight. The device's row last: whoever revokes the device waits for it until the commit, and no longer.
    const [, , device] = await Promise.all([
      recorded ? this.plans.write(tx, plan, at) : undefined,
      recorded ? record(tx, plan.outcomes) : undefined,
      this.devices.notePush(tx, command.deviceId, {
        at: isDevice ? arrivedAt : null,
        lamport: recorded ? plan.clock.lamport : null,
        clockSkewMs: context.clockSkewMs,
        clockReused:
          isDevice &&
          plan.outcomes.some(
            (outcome) => outcome.status === 'accepted' && outcome.warnings.includes('DEVICE_CLOCK_REUSED'),
          ),
      }),
    ]);
    // Once more, as long as it is written: this answer holds until the commit.
    if (isDevice) assertDeviceAdmitted(bringer, device);
    return { plan, at };
  }
}
