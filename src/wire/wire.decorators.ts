import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  isObject,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  maxLength,
  MaxLength,
  Min,
  minLength,
  MinLength,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { registerLeftOut, registerWireField } from './read-wire.js';

/*
 * One decorator a field says what the wire carries: for Swagger, as a question that is quickly answered, and as rules of
 * class-validator, which explain the answer no. So the three stand side by side, and a property test holds the question
 * to the rules. An optional field may be left out or be null.
 */

interface FieldOptions {
  readonly description?: string;
  readonly optional?: boolean;
  readonly example?: unknown;
}

function field(
  options: FieldOptions,
  schema: Record<string, unknown>,
  accepts: (value: unknown) => boolean,
  ...rules: PropertyDecorator[]
): PropertyDecorator {
  const optional = options.optional ?? false;
  const allRules = [...(optional ? [IsOptional()] : []), ...rules];
  return applyDecorators(
    ApiProperty({
      ...schema,
      ...(options.description !== undefined && { description: options.description }),
      ...('example' in options && { example: options.example }),
      required: !optional,
      ...(optional && { nullable: true }),
    }),
    (target: object, property: string | symbol) => {
      registerWireField(target.constructor, String(property), {
        accepts: optional ? (value) => value == null || accepts(value) : accepts,
        rules: allRules.length,
      });
    },
    ...allRules,
  );
}

/** Stands before the field's own decorator, whose `required` it overrides. `optional` would let null pass, too. */
export function MayBeLeftOut(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ required: false }),
    ValidateIf((_, value) => value !== undefined),
    (target: object, property: string | symbol) => {
      registerLeftOut(target.constructor, String(property));
    },
  );
}

const UUID = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/;

/**
 * RFC 9562 text form, of any version; letters in either case.
 * @param options.isReserved whether the sender may not give this one
 */
export function WireUuid(
  options: FieldOptions & {
    readonly isReserved?: { readonly check: (id: string) => boolean; readonly why: string };
  } = {},
): PropertyDecorator {
  const { isReserved, ...rest } = options;
  const rules = isReserved
    ? [
        ValidateBy(
          { name: 'reserved', validator: { validate: (id) => typeof id !== 'string' || !isReserved.check(id) } },
          { message: isReserved.why },
        ),
      ]
    : [];
  return field(
    rest,
    { type: String, format: 'uuid' },
    (value) => typeof value === 'string' && UUID.test(value) && isReserved?.check(value) !== true,
    IsUUID('loose', { message: 'must be a UUID' }),
    ...rules,
  );
}

const SHA_256 = /^[0-9A-Fa-f]{64}$/;

/** SHA-256 as 64 hex digits, in either case. */
export function WireSha256(options: FieldOptions = {}): PropertyDecorator {
  return field(
    options,
    { type: String, pattern: SHA_256.source },
    (value) => typeof value === 'string' && SHA_256.test(value),
    Matches(SHA_256, { message: 'must be 64 hex digits' }),
  );
}

export function WireInteger(options: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const message = `must be an integer from ${options.min} to ${options.max}`;
  return field(
    options,
    { type: 'integer', minimum: options.min, maximum: options.max },
    (value) => Number.isInteger(value) && isWithin(value as number, options),
    IsInt({ message }),
    Min(options.min, { message }),
    Max(options.max, { message }),
  );
}

function isWithin(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return value >= min && value <= max;
}

/** An integer in a query string. */
export function WireQueryInteger(
  options: FieldOptions & { readonly min: number; readonly max: number; readonly default?: number },
): PropertyDecorator {
  return applyDecorators(
    WireInteger({ ...options, optional: true }),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value,
    ),
    ...(options.default === undefined ? [] : [ApiProperty({ default: options.default, required: false })]),
  );
}

/** true or false in a query string. */
export function WireQueryBoolean(options: FieldOptions & { readonly default: boolean }): PropertyDecorator {
  return applyDecorators(
    WireBoolean({ ...options, optional: true }),
    Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)),
    ApiProperty({ default: options.default, required: false }),
  );
}

export function WireNumber(options: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const message = `must be a number from ${options.min} to ${options.max}`;
  return field(
    options,
    { type: Number, minimum: options.min, maximum: options.max },
    (value) => Number.isFinite(value) && isWithin(value as number, options),
    IsNumber({ allowNaN: false, allowInfinity: false }, { message }),
    Min(options.min, { message }),
    Max(options.max, { message }),
  );
}

/** Money is a JSON number with at most two decimals; up to 999,999,999,999.99 a double tells every cent apart. */
export const AMOUNT_MAX = 999_999_999_999.99;

/** @param options.min −AMOUNT_MAX unless given */
export function WireAmount(options: FieldOptions & { readonly min?: number } = {}): PropertyDecorator {
  const min = options.min ?? -AMOUNT_MAX;
  const message = `must be a number from ${min} to ${AMOUNT_MAX} with at most 2 decimals`;
  const accepts = (value: unknown): boolean => isAmount(value) && value >= min;
  return field(
    options,
    { type: Number, minimum: min, maximum: AMOUNT_MAX, multipleOf: 0.01 },
    accepts,
    ValidateBy({ name: 'isAmount', validator: { validate: accepts } }, { message }),
  );
}

// Not IsNumber's maxDecimalPlaces: it looks for the point in the number's text and throws on 1e-7, which has none.
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= AMOUNT_MAX && Math.round(value * 100) / 100 === value;
}

export function WireBoolean(options: FieldOptions = {}): PropertyDecorator {
  return field(
    options,
    { type: Boolean },
    (value) => typeof value === 'boolean',
    IsBoolean({ message: 'must be true or false' }),
  );
}

export function WireEnum(values: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  const known = new Set<unknown>(values);
  return field(
    options,
    { enum: [...values] },
    (value) => known.has(value),
    IsIn([...values], { message: `must be one of ${values.join(', ')}` }),
  );
}

const TIME =
  /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;

/** ISO 8601 with an offset: a time without one means something else on every machine. */
export function WireTime(options: FieldOptions = {}): PropertyDecorator {
  const message = 'must be an ISO 8601 time with an offset, from year 1 to 9999, such as 2026-03-01T09:30:00Z';
  return field(
    { example: '2026-03-01T09:30:00.000Z', ...options },
    { type: String, format: 'date-time' },
    isTime,
    ValidateBy({ name: 'isTime', validator: { validate: isTime } }, { message }),
  );
}

/** A time in a query string, where a `+` that nobody escaped arrives as a space. */
export function WireQueryTime(options: FieldOptions = {}): PropertyDecorator {
  return applyDecorators(
    WireTime({ example: undefined, ...options, optional: true }),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.replace(/ (?=\d\d:?\d\d$)/, '+') : value,
    ),
  );
}

// Not IsISO8601: in strict mode it takes the years 1 to 99 for 1901 to 1999 and finds their dates wrong, and a clock that
// was never set says 0001-01-01. A broken wall clock is no reason to refuse a sale.
function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  const year = digitsOf(value, 0, 4);
  // In UTC it may be another year.
  if ((year <= 1 || year >= 9999) && !isYear(new Date(value).getUTCFullYear())) return false;
  const day = digitsOf(value, 8, 10);
  return day >= 1 && day <= daysOf(year, digitsOf(value, 5, 7));
}

function isYear(year: number): boolean {
  return year >= 1 && year <= 9999;
}

/** The number that stands there, in digits. */
function digitsOf(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = 10 * number + text.charCodeAt(at) - 48;
  return number;
}

/** 0 of a month that there is not. */
function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return DAYS[month] ?? 0;
}
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Text a person wrote. PostgreSQL has no NUL in text, and a lone surrogate is no character.
 * @param options.lines whether it may have line breaks and tabs
 */
export function WireText(
  options: FieldOptions & { readonly min?: number; readonly max: number; readonly lines?: boolean },
): PropertyDecorator {
  const min = options.min ?? 1;
  const lines = options.lines ?? false;
  const message = `must be a text of ${min} to ${options.max} characters without control characters${lines ? ' but line breaks and tabs' : ''}`;
  const characters = lines ? /^(?:[^\p{Cc}\p{Cs}]|[\n\r\t])*$/u : /^[^\p{Cc}\p{Cs}]*$/u;
  const patterns = min > 0 ? [characters, /\S/] : [characters];
  return field(
    options,
    { type: String, minLength: min, maxLength: options.max },
    (value) =>
      typeof value === 'string' &&
      minLength(value, min) &&
      maxLength(value, options.max) &&
      patterns.every((pattern) => pattern.test(value)),
    IsString({ message }),
    MinLength(min, { message }),
    MaxLength(options.max, { message }),
    ...patterns.map((pattern) => Matches(pattern, { message })),
  );
}

/** An object whose fields are read where it is taken apart; `shape` is for the docs. */
export function WireObject(shape: new () => object, options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: () => shape }, (value) => isObject(value), IsObject({ message: 'must be an object' }));
}

/** A list whose entries are read one by one, so that a malformed one rejects only itself; `entry` is for the docs. */
export function WireEntries(
  entry: (new () => object) | undefined,
  max: number,
  options: FieldOptions = {},
): PropertyDecorator {
  const message = `must be a list of at most ${max} entries`;
  const items = entry ? { type: () => entry, isArray: true } : { type: 'array', items: { type: 'object' } };
  return field(
    options,
    { ...items, maxItems: max },
    (value) => Array.isArray(value) && value.length <= max,
    IsArray({ message }),
    ArrayMaxSize(max, { message }),
  );
}
