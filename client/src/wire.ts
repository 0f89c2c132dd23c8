import type { components } from './openapi.js';

type Schemas = components['schemas'];

/** What crosses the wire, by the server's API document. */
export type Operation = Schemas['OperationDto'];
export type ProductEdit = Schemas['ProductEditDto'];
export type PaymentEdit = Schemas['PaymentEditDto'];
export type PushRequest = Omit<Schemas['PushRequestDto'], 'operations' | 'products' | 'payments'> & {
  readonly operations: readonly Operation[];
  readonly products: readonly ProductEdit[];
  readonly payments: readonly PaymentEdit[];
};
export type PushResponse = Schemas['PushResponseDto'];
export type PushResult = Schemas['PushResultDto'];
/** As the server answers for an entry; or the client, for one that no push can carry. */
export type EntryResult = Omit<PushResult, 'code'> & { readonly code?: string };
export type PullRequest = Schemas['PullRequestDto'];
export type PullResponse = Schemas['PullResponseDto'];
export type StockEvent = PullResponse['operations'][number];
export type Product = PullResponse['products'][number];
export type Payment = PullResponse['payments'][number];
export type Conflict = PullResponse['conflicts'][number];
export type SnapshotHeader = Schemas['SnapshotHeaderDto'];
export type SnapshotEnd = Schemas['SnapshotEndDto'];
export type SnapshotLine =
  | SnapshotHeader
  | Schemas['SnapshotProductDto']
  | Schemas['SnapshotStockLevelDto']
  | Schemas['SnapshotPaymentDto']
  | SnapshotEnd;
export type LiveEvent = Schemas['LiveEventDto'];
export type Problem = Schemas['ProblemDto'];
export type FieldError = NonNullable<PushResult['errors']>[number];

export const PROTOCOL_VERSION = 1;
/** Entries of one push, at most. */
export const PUSH_ENTRIES_MAX = 1_000;
/** Entries of one pull, at most. */
export const PULL_LIMIT_MAX = 1_000;
export const INT4_MAX = 2_147_483_647;
