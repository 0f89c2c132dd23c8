import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { ProblemError } from '../../problems/problem.js';
import { assertDeviceAdmitted } from '../../tenancy/admission.js';
import { bothNotes, type PushNote } from '../../tenancy/domain/device.js';
import { recordingTime } from '../../tenancy/domain/lamport-clock.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import type { PushPlan } from '../domain/decide-push.js';
import { type DecidedPush, decidePushes, joined, type ReadPush } from '../domain/decide-pushes.js';
import type { PushOutcome } from '../domain/push-outcome.js';
import { type PendingPush, PushContextLoader } from './push-context.loader.js';
import { PushPlanWriter } from './push-plan.writer.js';

/** A push, and what is written beside it, in its transaction, if any of it is recorded. */
export interface PushWithRecord extends PendingPush {
  readonly record: (tx: TenantTransaction, outcomes: readonly PushOutcome[]) => Promise<void>;
}

type AdmittedPush = PushWithRecord & ReadPush;

export interface RecordedPush {
  readonly plan: PushPlan;
  readonly at: Date;
}

/** Records pushes of one tenant in one transaction: what they are decided on is read once, and what they write once. */
@Injectable()
export class PushRecorder {
  constructor(
    private readonly contexts: PushContextLoader,
    private readonly plans: PushPlanWriter,
    private readonly devices: DeviceRepository,
  ) {}

  /**
   * @returns of each push what became of it, or why it may not be recorded any more
   * @throws ProblemError as the guards, if a device may no longer enter when its push is written: then all are to be taken
   *   back, and tried one by one
   */
  async record(tx: TenantTransaction, pushes: readonly PushWithRecord[]): Promise<(RecordedPush | ProblemError)[]> {
    const results: (RecordedPush | ProblemError)[] = [];
    // What was read is seldom not good for all of them. Then no more is read for the next ones than may be of use.
    for (let count = pushes.length; results.length < pushes.length;) {
      const done = await this.recordSome(tx, pushes.slice(results.length, results.length + count));
      results.push(...done);
      count = 2 * done.length;
    }
    return results;
  }

  /** @returns as `record`, of the first of the pushes, one at least. */
  private async recordSome(
    tx: TenantTransaction,
    pushes: readonly PushWithRecord[],
  ): Promise<(RecordedPush | ProblemError)[]> {
    const { log, own } = await this.contexts.load(tx, pushes);
    const admitted = pushes.flatMap((push, index) => {
      const reading = own[index];
      return reading === undefined || reading instanceof ProblemError ? [] : [{ ...push, own: reading }];
    });
    const decided = decidePushes(admitted, log);
    const at = new Date(recordingTime(log.clock, Date.now()));
    await this.write(tx, decided, at);

    const results: (RecordedPush | ProblemError)[] = [];
    const plans = decided.values();
    for (const reading of own) {
      if (reading instanceof ProblemError) {
        results.push(reading);
        continue;
      }
      const next = plans.next();
      if (next.done) break;
      results.push({ plan: next.value.plan, at });
    }
    return results;
  }

  private async write(tx: TenantTransaction, decided: readonly DecidedPush<AdmittedPush>[], at: Date): Promise<void> {
    const growing = decided.filter(({ grows }) => grows);
    const [first, ...rest] = growing.map(({ plan }) => plan);
    // In one flight. The devices' rows last: whoever revokes one waits for it until the commit, and no longer.
    const [, , devices] = await Promise.all([
      first && this.plans.write(tx, joined([first, ...rest]), at),
      Promise.all(growing.map(({ push, plan }) => push.record(tx, plan.outcomes))),
      this.devices.notePushes(tx, notesOf(decided)),
    ]);
    // Once more, as long as they are written: this answer holds until the commit.
    for (const { bringer, command } of decided.map(({ push }) => push)) {
      if (bringer.role === 'device') assertDeviceAdmitted(bringer, devices.get(command.deviceId));
    }
  }
}

/** What the pushes tell of their devices, by device. */
function notesOf(decided: readonly DecidedPush<AdmittedPush>[]): Map<string, PushNote> {
  const notes = new Map<string, PushNote>();
  for (const { push, plan, grows } of decided) {
    const { deviceId } = push.command;
    const isDevice = push.bringer.role === 'device';
    const note: PushNote = {
      at: isDevice ? push.arrivedAt : null,
      lamport: grows ? plan.clock.lamport : null,
      clockSkewMs: push.own.clockSkewMs,
      clockReused:
        isDevice &&
        plan.outcomes.some(
          (outcome) => outcome.status === 'accepted' && outcome.warnings.includes('DEVICE_CLOCK_REUSED'),
        ),
    };
    const before = notes.get(deviceId);
    notes.set(deviceId, before ? bothNotes(before, note) : note);
  }
  return notes;
}
