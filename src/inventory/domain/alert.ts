/** What staff should look at. In the order of the list. */
export const ALERT_KINDS = ['LOW_STOCK', 'OVERSOLD', 'UNKNOWN_PRODUCT'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  readonly kind: AlertKind;
  readonly productId: string;
  /** null if the catalogue lacks the product. */
  readonly name: string | null;
  /** Units. */
  readonly quantity: number;
  readonly reorderPoint: number | null;
  /** Of the last event that changed the stock. */
  readonly lastLamport: number;
}

/** Where an alert stands in the list. */
export type AlertPlace = Pick<Alert, 'kind' | 'productId'>;
