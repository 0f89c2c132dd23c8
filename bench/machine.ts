import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { median } from './statistics.js';

/** What the figures of a run depend on besides the code. */
export interface Machine {
  readonly cores: number;
  readonly processor: string | undefined;
  readonly node: string;
  readonly postgres: string;
  /** Median of 100: what each commit waits for at least. */
  readonly fsyncMs: number;
}

/** @param folder on the disk that the database writes to */
export function describeMachine(folder: string, postgresVersion: string): Machine {
  return {
    cores: os.availableParallelism(),
    processor: os.cpus()[0]?.model,
    node: process.versions.node,
    postgres: postgresVersion,
    fsyncMs: measureFsync(folder),
  };
}

/** As PostgreSQL writes its log: a page of 8 KiB over one that is there, then fdatasync, which leaves the times alone. */
function measureFsync(folder: string): number {
  const file = path.join(folder, 'fsync-probe');
  const page = Buffer.alloc(8_192, 1);
  const descriptor = openSync(file, 'w');
  try {
    const durationsMs = Array.from({ length: 100 }, () => {
      const startedMs = performance.now();
      writeSync(descriptor, page, 0, page.length, 0);
      fdatasyncSync(descriptor);
      return performance.now() - startedMs;
    });
    return median(durationsMs);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
