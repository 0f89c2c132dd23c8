/** A fault that somebody might build in: what the simulation must not let pass. */
export interface Mutation {
  readonly name: string;
  /** From the root of the project. */
  readonly file: string;
  /** Stands in the file once. */
  readonly find: string;
  readonly replace: string;
  /** Within so many seeds it must be caught. */
  readonly seedsMax: number;
}

const SERVER: readonly Mutation[] = [
  {
    name: 'a push does not lock the tenant’s clock',
    file: 'src/tenancy/persistence/tenant-clock.repository.ts',
    find: `return this.select(tx, 'FOR UPDATE');`,
    replace: `return this.select(tx, '');`,
    seedsMax: 40,
  },
  {
    name: 'a push does not look whether it knows an operation',
    file: 'src/sync/domain/record-operation.ts',
    find: `const original = log.operation(id);`,
    replace: `const original = undefined as ReturnType<typeof log.operation>;`,
    seedsMax: 10,
  },
  {
    name: 'a known operation is taken as another one',
    file: 'src/sync/domain/record-operation.ts',
    find: `    return { status: 'duplicate', id, original: outcome, ...(dispute && { conflict: noteOf(dispute) }) };`,
    replace: `    if (dispute) return { status: 'duplicate', id, original: outcome, conflict: noteOf(dispute) };
    operation = { ...operation, operationId: id.replace(/^./, (digit) => ((parseInt(digit, 16) + 1) % 16).toString(16)) };`,
    seedsMax: 10,
  },
  {
    name: 'a pull loses the VOIDs',
    file: 'src/sync/pull/pull.service.ts',
    find: 'events: events.filter(upTo(clock.lamport)) }',
    replace: `events: events.filter(upTo(clock.lamport)).filter(({ json }) => !Buffer.from(json).includes('"VOID"')) }`,
    seedsMax: 20,
  },
  {
    name: 'a pull goes by the time of recording instead of the lamport',
    file: 'src/inventory/persistence/stock-event.repository.ts',
    find: 'AND lamport_ts > $2 ORDER BY lamport_ts LIMIT $3',
    replace: 'AND lamport_ts > $2 ORDER BY created_at LIMIT $3',
    seedsMax: 20,
  },
  {
    name: 'a pull skips what comes with the last entry that fits',
    file: 'src/sync/pull/pull.service.ts',
    find: `const nextLamport = cutAt ?? clock.lamport;`,
    replace: `const nextLamport = cutAt === null ? clock.lamport : cutAt + 1;`,
    seedsMax: 10,
  },
  {
    name: 'what is held takes effect at once',
    file: 'src/sync/domain/log-writer.ts',
    find: `return this.append(content, contentHash, { effect: 0, stockAfter, tracked }, disposition);`,
    replace: `const effect = content.kind === 'DECREMENT' && disposition === 'HELD' ? -content.delta : 0;
    return this.append(content, contentHash, { effect, stockAfter: stockAfter + effect, tracked }, disposition);`,
    seedsMax: 20,
  },
  {
    name: 'a claim that is taken back stays in the stock',
    file: 'src/sync/domain/log-writer.ts',
    find: `    this.levels.set(productId, { quantity: quantity + effect, tracked, lastLamport: lamport });
    this.references.set(operationId, afterDecision(`,
    replace: `    this.references.set(operationId, afterDecision(`,
    seedsMax: 120,
  },
  {
    name: 'a reservation that was cancelled in part lapses as a whole',
    file: 'src/inventory/domain/reference.ts',
    find: `  return Math.max(0, delta - cancelled);`,
    replace: `  return cancelled < delta ? delta : 0;`,
    seedsMax: 60,
  },
  {
    name: 'the projection is not written',
    file: 'src/sync/push/push-plan.writer.ts',
    find: `      this.levels.save(tx, writes.levels),`,
    replace: `      writes.levels.size > 1 ? this.levels.save(tx, writes.levels) : undefined,`,
    seedsMax: 10,
  },
  {
    name: 'a sale is taken in part',
    file: 'src/sync/domain/decide-push.ts',
    find: `    fallen ||= outcomes[index]?.status === 'rejected';`,
    replace: `    fallen = false;`,
    seedsMax: 60,
  },
  {
    name: 'a rejected group leaves a trace',
    file: 'src/sync/domain/decide-push.ts',
    find: `  log.rollBack(before);`,
    replace: `  if (indexes.length === 1) log.rollBack(before);`,
    seedsMax: 60,
  },
  {
    name: 'a revoked device goes on',
    file: 'src/tenancy/admission.ts',
    find: `  if (device.revoked) throw new ProblemError('DEVICE_REVOKED');`,
    replace: ``,
    seedsMax: 30,
  },
  {
    name: 'the workers settle nothing',
    file: 'src/conflicts/resolution.service.ts',
    find: `    let [done, suggested] = [0, 0];
    for (;;) {`,
    replace: `    let [done, suggested] = [0, 0];
    for (; failures.size > 0;) {`,
    seedsMax: 20,
  },
];

const CLIENT: readonly Mutation[] = [
  {
    name: 'the client forgets what it sends before it is answered',
    file: 'client/src/outbox.ts',
    find: `    return batch.close();
  }`,
    replace: `    const taken = batch.close();
    for (const entry of taken) this.leave(tx, entry);
    return taken;
  }`,
    seedsMax: 10,
  },
  {
    name: 'the client says that it is recorded before it is on the disk',
    file: 'client/src/storage/store.ts',
    find: `      await batch.write();
      for (const resolve of done) resolve();`,
    replace: `      for (const resolve of done) resolve();
      await batch.write();`,
    seedsMax: 60,
  },
  {
    name: 'the client writes one transaction in two batches',
    file: 'client/src/storage/store.ts',
    find: `    await this.database.batch(batch, DURABLE);`,
    replace: `    await this.database.batch(batch.slice(0, 1), DURABLE);
    if (batch.length > 1) await this.database.batch(batch.slice(1), DURABLE);`,
    seedsMax: 60,
  },
  {
    name: 'the client loses base_lamport',
    file: 'client/src/recorder.ts',
    find: `        base_lamport: base,
`,
    replace: ``,
    seedsMax: 10,
  },
  {
    name: 'the client does not keep its clock',
    file: 'client/src/sync-client.ts',
    find: `{ ...meta, clock: stamped.at(-1)?.lamport ?? meta.clock }`,
    replace: `meta`,
    seedsMax: 10,
  },
  {
    name: 'the client gives results to the wrong entries',
    file: 'client/src/sync-round.ts',
    find: `  return KINDS.flatMap((kind) => entries.filter((entry) => entry.kind === kind));`,
    replace: `  return entries;`,
    seedsMax: 30,
  },
  {
    name: 'the client takes its effects back before the pull brings them',
    file: 'client/src/outbox.ts',
    find: `        if (serverLamport <= meta.base) await`,
    replace: `        if (serverLamport > 0) await`,
    seedsMax: 10,
  },
  {
    name: 'the client shows what was pulled as pending, too',
    file: 'client/src/outbox.ts',
    find: `      if (entry) await this.pending.drop(tx, { kind`,
    replace: `      if (!entry) await this.pending.drop(tx, { kind: 'operation', lamport: 0, entityId: '' });
      else if (entry.lamport < 0) await this.pending.drop(tx, { kind`,
    seedsMax: 20,
  },
  {
    name: 'the client counts what is held',
    file: 'client/src/domain/settlement.ts',
    find: `    case 'conflict':
    case 'ignored':
      return { is: 'WITHOUT_EFFECT', serverLamport };`,
    replace: `    case 'conflict':
      return taken(serverLamport);
    case 'ignored':
      return { is: 'WITHOUT_EFFECT', serverLamport };`,
    seedsMax: 100,
  },
  {
    name: 'the client takes a duplicate for a rejection',
    file: 'client/src/domain/settlement.ts',
    find: `      const { original } = result;`,
    replace: `      const { original } = result;
      if (original?.status === 'accepted') return { is: 'REJECTED' };`,
    seedsMax: 10,
  },
  {
    name: 'the client drops what is rejected',
    file: 'client/src/outbox.ts',
    find: `        tx.put(REJECTED, key, { ...entry, code, message, errors, suggestion, rejectedAt });`,
    replace: `        if (message === '') tx.put(REJECTED, key, { ...entry, code, message, errors, suggestion, rejectedAt });`,
    seedsMax: 10,
  },
  {
    name: 'the client takes the server’s lamport for its cursor',
    file: 'client/src/replica.ts',
    find: `        base: page.next_lamport,`,
    replace: `        base: page.server_lamport,`,
    seedsMax: 10,
  },
  {
    name: 'the client believes a snapshot that was cut',
    file: 'client/src/replica.ts',
    find: `    if (!header || !complete) throw`,
    replace: `    if (!header || (!complete && counts.products < 0)) throw`,
    seedsMax: 60,
  },
  {
    name: 'the client splits a sale over two pushes',
    file: 'client/src/domain/batch.ts',
    find: `    if (first && (group === undefined || groupOf(first) !== group) && !this.closeGroup()) return false;`,
    replace: `    if (first && !this.closeGroup()) return false;`,
    seedsMax: 60,
  },
  {
    name: 'the client starts its replica with a snapshot while a push is in doubt',
    file: 'client/src/sync-round.ts',
    find: `if (meta.wantsSnapshot && !(isNew && isPushInDoubt)) {`,
    replace: `if (meta.wantsSnapshot && !(isNew && isPushInDoubt && this.snapshots > 0)) {`,
    seedsMax: 30,
  },
];

export const MUTATIONS: readonly Mutation[] = [...SERVER, ...CLIENT];
