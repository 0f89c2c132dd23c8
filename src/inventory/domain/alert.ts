/** What staff should look at, the most pressing first: the order of the list. */
export const ALERT_KINDS = ['OVERSOLD', 'UNKNOWN_PRODUCT', 'LOW_STOCK'] as const;
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
