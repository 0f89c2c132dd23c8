import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
import type { FieldError } from '../problems/problem.js';
import { DUPLICATED_KEY } from './json-body.js';

export type WireReading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] };

/** A field of a wire class, as its decorators say it. */
interface WireField {
  /** The rules of class-validator in one question: whether all of them would pass. */
  accepts: (value: unknown) => boolean;
  /** How many they are. */
  rules: number;
}

const fieldsByClass = new Map<unknown, Map<string, WireField>>();
const questionsByClass = new Map<unknown, readonly (readonly [name: string, field: WireField])[] | undefined>();

/** Called by the wire decorators: only fields that a class declares are ever taken from a body. */
export function registerWireField(wireClass: unknown, name: string, field: WireField): void {
  if (name in Object.prototype) throw new Error(`${name} can't be a wire field: every object has it`);
  const fields = fieldsByClass.get(wireClass) ?? new Map<string, WireField>();
  fieldsByClass.set(wireClass, fields.set(name, field));
}

/** Called by a decorator that lets a field be left out which has been registered. */
export function registerLeftOut(wireClass: unknown, name: string): void {
  const field = fieldsByClass.get(wireClass)?.get(name);
  if (!field) throw new Error(`${name} is no wire field yet: the decorator must stand before the field's own`);
  const { accepts } = field;
  field.accepts = (value) => value === undefined || accepts(value);
  field.rules += 1;
}

/**
 * Whether the fields accept the values of an object, without class-validator.
 * @returns undefined if they can't tell: the class has rules that are not of the wire decorators
 */
export function acceptedByFields(WireClass: new () => object, value: object): boolean | undefined {
  const questions = questionsOf(WireClass);
  if (questions === undefined) return undefined;
  for (const [name, { accepts }] of questions) if (!accepts((value as Record<string, unknown>)[name])) return false;
  return true;
}

function questionsOf(WireClass: new () => object): readonly (readonly [name: string, field: WireField])[] | undefined {
  if (questionsByClass.has(WireClass)) return questionsByClass.get(WireClass);
  const questions = [...(fieldsByClass.get(WireClass) ?? [])];
  const rules = getMetadataStorage().getTargetValidationMetadatas(WireClass, '', false, false).length;
  const isComplete = rules === questions.reduce((sum, [, field]) => sum + field.rules, 0);
  questionsByClass.set(WireClass, isComplete ? questions : undefined);
  return questionsByClass.get(WireClass);
}

/**
 * Reads `input` as a `WireClass`: takes the fields it declares, ignores all others, and validates them.
 *
 * Each field is asked whether it accepts its value, which is all that happens to what is valid. Only of what is not does
 * class-validator tell what is wrong with it; to ask it at once would take ten times as long (bench/validation).
 * @param path where `input` stands in the request, for the errors; empty for the whole body.
 */
export function readWire<T extends object>(WireClass: new () => T, input: unknown, path = ''): WireReading<T> {
  if (!isObject(input)) {
    return {
      ok: false,
      errors: [{ path: path === '' ? 'body' : path, code: 'IS_OBJECT', message: 'must be an object' }],
    };
  }
  const value = new WireClass();
  for (const name of fieldsByClass.get(WireClass)?.keys() ?? []) {
    // `hasOwn`: a key such as `__proto__` or an inherited one is no field of the body.
    if (Object.hasOwn(input, name)) (value as Record<string, unknown>)[name] = (input as Record<string, unknown>)[name];
  }
  if (acceptedByFields(WireClass, value)) return { ok: true, value };
  const errors = validateSync(value, { validationError: { target: false }, forbidUnknownValues: false });
  return errors.length === 0
    ? { ok: true, value }
    : { ok: false, errors: errors.map((error) => toFieldError(error, path)) };
}

/**
 * As `readWire`, of very many: what is valid is not copied, but is `input` itself, with whatever it has besides. For those
 * who read it field by field.
 * @param input of JSON.parse, so that what it has is its own
 */
export function readParsed<T extends object>(WireClass: new () => T, input: unknown, path: string): WireReading<T> {
  return isObject(input) && acceptedByFields(WireClass, input)
    ? { ok: true, value: input as T }
    : readWire(WireClass, input, path);
}

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
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
