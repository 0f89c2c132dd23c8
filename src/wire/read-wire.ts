import { type ValidationError, validateSync } from 'class-validator';
import type { FieldError } from '../problems/problem.js';
import { DUPLICATED_KEY } from './json-body.js';

export type WireReading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] };

const fieldsByClass = new Map<unknown, Set<string>>();

/** Called by the wire decorators: only fields that a class declares are ever taken from a body. */
export function registerWireField(wireClass: unknown, name: string): void {
  const fields = fieldsByClass.get(wireClass) ?? new Set<string>();
  fieldsByClass.set(wireClass, fields.add(name));
}

/**
 * Reads `input` as a `WireClass`: takes the fields it declares, ignores all others, and validates them.
 * @param path where `input` stands in the request, for the errors; empty for the whole body.
 */
export function readWire<T extends object>(WireClass: new () => T, input: unknown, path = ''): WireReading<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return {
      ok: false,
      errors: [{ path: path === '' ? 'body' : path, code: 'IS_OBJECT', message: 'must be an object' }],
    };
  }
  const value = new WireClass();
  for (const name of fieldsByClass.get(WireClass) ?? []) {
    // `hasOwn`: a key such as `__proto__` or an inherited one is no field of the body.
    if (Object.hasOwn(input, name)) (value as Record<string, unknown>)[name] = (input as Record<string, unknown>)[name];
  }
  const errors = validateSync(value, { validationError: { target: false }, forbidUnknownValues: false });
  return errors.length === 0
    ? { ok: true, value }
    : { ok: false, errors: errors.map((error) => toFieldError(error, path)) };
}

function toFieldError(error: ValidationError, path: string): FieldError {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  if (error.value === DUPLICATED_KEY)
    return { path: field, code: 'DUPLICATED_KEY', message: 'stands more than once in its object' };
  if (error.value === undefined) return { path: field, code: 'REQUIRED', message: 'is required' };
  // In the order of the rules, which start with the type: of a text for an integer it is told that, not its bounds.
  const [constraint, message] = Object.entries(error.constraints ?? {})[0] ?? ['invalid', 'is not valid'];
  return { path: field, code: constraint.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(), message };
}
