import type { Device } from '../../tenancy/domain/device.js';
import type { ConflictAwaits, ConflictKind, ConflictStatus, RecordedConflict } from './conflict.js';
import type { ResolutionMethod, Verdict } from './verdict.js';

/** When conflicts were detected; null: any time. */
export interface DetectionSpan {
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
}

/** Which conflicts of the log to look at; null: whichever. */
export interface ConflictFilter extends DetectionSpan {
  readonly status: ConflictStatus | null;
  readonly awaits: ConflictAwaits | null;
  readonly kind: ConflictKind | null;
  readonly method: ResolutionMethod | null;
  /** About the product itself, or its stock. */
  readonly productId: string | null;
  /** On either side. */
  readonly deviceId: string | null;
}

/** What people know a device by. */
export type DeviceLabel = Pick<Device, 'name' | 'deviceType'>;

/** A conflict with the names of its devices: those that are enrolled, or were. */
export interface LabelledConflict {
  readonly conflict: RecordedConflict;
  readonly devices: ReadonlyMap<string, DeviceLabel>;
}

/** All there is to know of a conflict. */
export interface DetailedConflict extends LabelledConflict {
  /** Units of the product now; null if it is not about stock. */
  readonly stockNow: number | null;
}

/** Conflicts that have all of this in common. */
export interface ConflictCount {
  readonly kind: ConflictKind;
  readonly status: ConflictStatus;
  /** null unless they are pending. */
  readonly awaits: ConflictAwaits | null;
  /** null while they are pending, as is the verdict. */
  readonly method: ResolutionMethod | null;
  readonly verdict: Verdict | null;
  readonly count: number;
  /** Of the oldest. */
  readonly detectedAt: Date;
  /** Of those that people decided: where the heuristics had suggested something, */
  readonly suggested: number;
  /** and where people decided just that. */
  readonly agreed: number;
}

/** How long it took from the detection to the decision. */
export interface SettlingTime {
  readonly method: ResolutionMethod;
  readonly count: number;
  readonly meanSeconds: number;
  readonly medianSeconds: number;
}

/** What the log comes to. */
export interface ConflictStats {
  readonly counts: readonly ConflictCount[];
  readonly times: readonly SettlingTime[];
}
