import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';

/**
 * What was taken from stock is taken once, and given back once at most: whatever became of a sale or a reservation, all
 * that the log has of it comes to something between all of its units and none (I2).
 */
export function faultsOfClaims(events: readonly RecordedEvent[]): readonly string[] {
  const naming = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    if (event.refOperationId === null) continue;
    const others = naming.get(event.refOperationId);
    if (others) others.push(event);
    else naming.set(event.refOperationId, [event]);
  }
  const namersOf = ({ operationId }: RecordedEvent): readonly RecordedEvent[] => naming.get(operationId) ?? [];
  const decided = (event: RecordedEvent): number =>
    sumOf(
      namersOf(event)
        .filter(isDecision)
        .map((decision) => decision.effect + absorbedUnits(decision, event)),
    );
  return events.filter(isClaim).flatMap((claim) => {
    const uses = namersOf(claim).filter(({ productId }) => productId === claim.productId);
    const units =
      unitsTaken(claim, events) +
      decided(claim) +
      sumOf(uses.filter(isCancellation).map((use) => use.effect + decided(use))) +
      sumOf(uses.filter((use) => isConfirmation(use, claim)).map(heldFor));
    return units <= 0 && units >= -claim.delta
      ? []
      : [`I2: ${claim.operationId} took ${claim.delta}, and it comes to ${units}`];
  });
}

function isClaim({ kind }: RecordedEvent): boolean {
  return kind === 'DECREMENT';
}

function isDecision({ kind }: RecordedEvent): boolean {
  return kind === 'VOID' || kind === 'RELEASE';
}

/** Of a claim that is released after a count which was made without its units: the count has taken them. */
function absorbedUnits({ kind, baseLamport }: RecordedEvent, claim: RecordedEvent): number {
  return kind === 'RELEASE' && baseLamport !== null && isClaim(claim) ? -claim.delta : 0;
}

function isCancellation({ kind, reason }: RecordedEvent): boolean {
  return kind === 'INCREMENT' && reason === 'CANCEL';
}

function isConfirmation({ kind, reason }: RecordedEvent, named: RecordedEvent): boolean {
  return kind === 'DECREMENT' && reason === 'SALE' && named.reason === 'RESERVATION';
}

/** By itself: what it found held belongs to the reservation that it confirms. */
function unitsTaken(claim: RecordedEvent, events: readonly RecordedEvent[]): number {
  const named = events.find(({ operationId }) => operationId === claim.refOperationId);
  return named && isConfirmation(claim, named) ? claim.effect - heldFor(claim) : claim.effect;
}

/** Units that a sale found held for it, and gave back. */
function heldFor({ effect, delta, disposition }: RecordedEvent): number {
  return disposition === 'APPLIED' ? effect + delta : 0;
}

function sumOf(units: readonly number[]): number {
  return units.reduce((sum, one) => sum + one, 0);
}
