import { readdirSync, readFileSync } from 'node:fs';

/** Linux shows processor time to programs in hundredths of a second, whatever the kernel's own tick (proc(5)). */
const TICKS_PER_SECOND = 100;

/** Processor seconds of a process with all its threads; undefined where there is no /proc, or no such process. */
export function cpuSecondsOf(pid: number): number | undefined {
  const times = readTimes(pid);
  return times && times.ownTicks / TICKS_PER_SECOND;
}

/**
 * Processor seconds of a process, of its children that run and of those that have ended. One generation is enough for
 * PostgreSQL, whose postmaster starts every process itself.
 */
export function cpuSecondsOfFamily(pid: number): number | undefined {
  const parent = readTimes(pid);
  if (parent === undefined) return undefined;
  let ticks = parent.ownTicks + parent.endedChildrenTicks;
  for (const entry of readdirSync('/proc')) {
    const child = /^\d+$/.test(entry) ? readTimes(Number(entry)) : undefined;
    if (child?.parentPid === pid) ticks += child.ownTicks + child.endedChildrenTicks;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory of a process that is in RAM now, and the most that ever was; undefined where there is no /proc. */
export function residentMemoryOf(pid: number): { readonly nowMiB: number; readonly peakMiB: number } | undefined {
  const status = readText(`/proc/${pid}/status`);
  const nowKiB = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  const peakKiB = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  if (nowKiB === undefined || peakKiB === undefined) return undefined;
  return { nowMiB: Number(nowKiB) / 1024, peakMiB: Number(peakKiB) / 1024 };
}

interface ProcessTimes {
  readonly parentPid: number;
  readonly ownTicks: number;
  readonly endedChildrenTicks: number;
}

function readTimes(pid: number): ProcessTimes | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, and may hold blanks and brackets itself.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parentPid = 0] = fields;
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11);
  return { parentPid, ownTicks: user + system, endedChildrenTicks: childrenUser + childrenSystem };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not Linux, or the process has just ended
  }
}
