import { Injectable } from '@nestjs/common';
import { arrayOf } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { EditBase, KnownEdit } from '../domain/merge.js';
import type { Entity, Fields, StateVersion } from '../domain/state.js';

/** Of which edit's base the history is asked. */
export interface BaseQuestion {
  readonly editId: string;
  /** Whose edit it is. */
  readonly deviceId: string;
  readonly entityId: string;
  readonly version: number;
}

interface BaseRow {
  readonly device_id: string;
  readonly entity_id: string;
  readonly version: string;
  readonly fields: Fields;
  readonly others_lamport: string;
  readonly by_others: string[];
  readonly own_lamport: string | null;
  readonly by_itself: string[];
}

interface VersionRow {
  readonly version: string;
  readonly lamport_ts: string;
  readonly edit_id: string;
  readonly device_id: string;
  readonly client_lamport: string;
  readonly fields: Fields;
  readonly changed: string[];
}

@Injectable()
export class StateVersionRepository {
  /** Appends versions in one statement whatever their number. */
  async append(tx: TenantTransaction, versions: readonly StateVersion[], recordedAt: Date): Promise<void> {
    if (versions.length === 0) return;
    // One JSON document: unnest would make one flat list of the lists in `changed`.
    await prepared(
      tx,
      'append versions',
      `INSERT INTO state_versions (tenant_id, recorded_at, entity, entity_id, version, lamport_ts, edit_id, device_id,
                                   client_lamport, fields, changed)
       SELECT $1, $2, entity, "entityId", version, lamport, "editId", "deviceId", "clientLamport", fields, changed
       FROM jsonb_to_recordset($3::jsonb) AS row (entity text, "entityId" uuid, version bigint, lamport bigint,
              "editId" uuid, "deviceId" uuid, "clientLamport" bigint, fields jsonb, changed text[])`,
      [tx.tenantId, recordedAt, JSON.stringify(versions)],
    );
  }

  /** Those of the edits that made a version, by edit id. */
  async known(tx: TenantTransaction, editIds: readonly string[]): Promise<Map<string, KnownEdit>> {
    if (editIds.length === 0) return new Map();
    const rows = await prepared<{ edit_id: string; lamport_ts: string; version: string }>(
      tx,
      'known edits',
      `SELECT known.* FROM unnest($2::uuid[]) AS asked (edit_id), LATERAL (
         SELECT edit_id, lamport_ts, version FROM state_versions
         WHERE tenant_id = $1 AND edit_id = asked.edit_id LIMIT 1) AS known`,
      [tx.tenantId, arrayOf('uuid', editIds)],
    );
    return new Map(
      rows.map((row) => [row.edit_id, { lamport: toSafeInteger(row.lamport_ts), version: toSafeInteger(row.version) }]),
    );
  }

  /**
   * The bases of merges, by edit id: of those questions whose version is there and was followed by one that is not the
   * device's own. For the others there is nothing to merge.
   */
  async basesOf(
    tx: TenantTransaction,
    entity: Entity,
    questions: readonly BaseQuestion[],
  ): Promise<Map<string, EditBase>> {
    if (questions.length === 0) return new Map();
    // Once for each version, however many edits a device made on it: what came after it is read for each question anew.
    const asked = new Map(questions.map((question) => [keyOf(question), question]));
    const rows = await prepared<BaseRow>(
      tx,
      'bases of edits',
      `SELECT asked.device_id, asked.entity_id, asked.version, base.fields, since.*
       FROM unnest($3::uuid[], $4::uuid[], $5::bigint[]) AS asked (device_id, entity_id, version)
       CROSS JOIN LATERAL (
         SELECT fields FROM state_versions
         WHERE tenant_id = $1 AND entity = $2 AND entity_id = asked.entity_id AND version = asked.version
         LIMIT 1) AS base
       CROSS JOIN LATERAL (
         SELECT max(lamport_ts) FILTER (WHERE device_id <> asked.device_id) AS others_lamport,
                coalesce(array_agg(DISTINCT name) FILTER (WHERE device_id <> asked.device_id AND name IS NOT NULL), '{}')
                  AS by_others,
                max(client_lamport) FILTER (WHERE device_id = asked.device_id) AS own_lamport,
                coalesce(array_agg(DISTINCT name) FILTER (WHERE device_id = asked.device_id AND name IS NOT NULL), '{}')
                  AS by_itself
         FROM state_versions LEFT JOIN unnest(changed) AS name ON true
         WHERE tenant_id = $1 AND entity = $2 AND entity_id = asked.entity_id AND version > asked.version) AS since
       WHERE since.others_lamport IS NOT NULL`,
      [
        tx.tenantId,
        entity,
        arrayOf(
          'uuid',
          [...asked.values()].map((question) => question.deviceId),
        ),
        arrayOf(
          'uuid',
          [...asked.values()].map((question) => question.entityId),
        ),
        arrayOf(
          'bigint',
          [...asked.values()].map((question) => question.version),
        ),
      ],
    );
    const found = new Map(
      rows.map((row): [string, EditBase] => [
        keyOf({ deviceId: row.device_id, entityId: row.entity_id, version: toSafeInteger(row.version) }),
        {
          fields: row.fields,
          changedByOthers: new Set(row.by_others),
          othersLamport: toSafeInteger(row.others_lamport),
          own: {
            changed: new Set(row.by_itself),
            clientLamport: row.own_lamport === null ? -Infinity : toSafeInteger(row.own_lamport),
          },
        },
      ]),
    );
    return new Map(
      questions.flatMap((question) => {
        const base = found.get(keyOf(question));
        return base ? [[question.editId, base] as const] : [];
      }),
    );
  }

  /**
   * The versions of a state, in order, from the one that an edit was made on: `version`, if the device named one that there
   * was, else the last before `lamport`, where the edit was. All of them if there was none by then.
   */
  async historyFrom(
    tx: TenantTransaction,
    entity: Entity,
    entityId: string,
    { version, lamport }: { readonly version: number | null; readonly lamport: number },
  ): Promise<StateVersion[]> {
    const rows = await tx.manager.query<VersionRow[]>(
      `SELECT version, lamport_ts, edit_id, device_id, client_lamport, fields, changed FROM state_versions
       WHERE tenant_id = $1 AND entity = $2 AND entity_id = $3 AND version >= coalesce(
         (SELECT version FROM state_versions
          WHERE tenant_id = $1 AND entity = $2 AND entity_id = $3 AND version = $4 AND lamport_ts < $5),
         (SELECT version FROM state_versions
          WHERE tenant_id = $1 AND entity = $2 AND entity_id = $3 AND lamport_ts < $5 ORDER BY version DESC LIMIT 1),
         1)
       ORDER BY version`,
      [tx.tenantId, entity, entityId, version, lamport],
    );
    return rows.map((row) => ({
      ...{ entity, entityId, version: toSafeInteger(row.version), lamport: toSafeInteger(row.lamport_ts) },
      ...{ editId: row.edit_id, deviceId: row.device_id, clientLamport: toSafeInteger(row.client_lamport) },
      ...{ fields: row.fields, changed: row.changed },
    }));
  }
}

const keyOf = ({ deviceId, entityId, version }: Omit<BaseQuestion, 'editId'>): string =>
  `${deviceId} ${entityId} ${version}`;
