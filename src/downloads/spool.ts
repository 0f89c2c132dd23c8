import { EventEmitter, once } from 'node:events';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';

const READ_BYTES = 65_536;

/**
 * A file that is read while it is still written, so that who writes need not wait for who reads. It has no name in the
 * folder of temporary files: nobody else opens it, and it is gone with the process, however that ends.
 */
export class Spool {
  private readonly changes = new EventEmitter();
  private written = 0;
  private state: 'GROWING' | 'WHOLE' | 'CLOSED' = 'GROWING';

  private constructor(private readonly file: FileHandle) {}

  static async open(): Promise<Spool> {
    const name = path.join(tmpdir(), `agrotour-${randomUUID()}`);
    const file = await open(name, 'wx+', 0o600);
    try {
      await unlink(name);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Spool(file);
  }

  /** Adds to the end; one at a time. */
  async append(bytes: Buffer): Promise<void> {
    await this.file.writev([bytes], this.written);
    this.written += bytes.length;
    this.changes.emit('change');
  }

  /** Nothing more will be added. */
  end(): void {
    if (this.state === 'GROWING') this.state = 'WHOLE';
    this.changes.emit('change');
  }

  /** All of it from the beginning, what is yet to be written too. Ends early if it is closed. */
  async *follow(): AsyncGenerator<Buffer, void, undefined> {
    for (let position = 0; this.state !== 'CLOSED';) {
      if (position === this.written) {
        if (this.state === 'WHOLE') return;
        await once(this.changes, 'change');
        continue;
      }
      const length = Math.min(READ_BYTES, this.written - position);
      const { bytesRead, buffer } = await this.file.read(Buffer.allocUnsafe(length), 0, length, position);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Whatever was not read is gone. Once is enough, and more does no harm. */
  async close(): Promise<void> {
    if (this.state === 'CLOSED') return;
    this.state = 'CLOSED';
    this.changes.emit('change');
    await this.file.close();
  }
}
