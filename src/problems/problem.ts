/**
 * Every way a request can be refused as a whole, with its status and meaning. A released code keeps its meaning.
 * docs/errors.md is generated from this list. Entries of a push are refused by their own codes, as results.
 */
export const PROBLEMS = {
  VALIDATION: {
    status: 400,
    title: 'The request is not valid',
    meaning: 'Some field is missing, of the wrong type or out of bounds; `errors` names each.',
  },
  MALFORMED_JSON: {
    status: 400,
    title: 'The body is not JSON',
    meaning: 'The body cannot be read as JSON in UTF-8, or is nested too deeply.',
  },
  BAD_REQUEST: {
    status: 400,
    title: 'The request cannot be read',
    meaning: 'The request breaks HTTP in a way that has no code of its own.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'No valid token',
    meaning:
      'The bearer token is missing, malformed, expired, not yet valid, wrongly signed, or of a tenant that does not exist.',
  },
  DEVICE_UNKNOWN: {
    status: 401,
    title: 'The device is not enrolled',
    meaning: 'The token names a device that its tenant has not enrolled.',
  },
  DEVICE_REVOKED: {
    status: 401,
    title: 'The device was revoked',
    meaning: 'An admin has revoked this device. Its outbox stays valid: the device keeps it.',
  },
  TOKEN_REVOKED: {
    status: 401,
    title: 'The token was replaced',
    meaning:
      'The device was given another token, or enrolled again, after this one was issued. Its outbox stays valid: the device keeps it, and goes on with the new token.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'Not allowed for this role',
    meaning: 'The token is valid, but its role may not do this.',
  },
  TENANT_MISMATCH: {
    status: 403,
    title: 'Another tenant was named',
    meaning: '`X-Tenant-ID` or a `tenant_id` of the request differs from the tenant of the token.',
  },
  TENANT_SUSPENDED: {
    status: 403,
    title: 'The tenant is suspended',
    meaning: 'The operator has suspended this tenant; nothing is read or written until it is resumed.',
  },
  DEVICE_MISMATCH: {
    status: 403,
    title: 'Another device was named',
    meaning: 'The `device_id` of the request differs from the device of the token, or of the path.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'Nothing here',
    meaning: 'There is no such route, or no such thing in this tenant.',
  },
  DEVICE_EXISTS: {
    status: 409,
    title: 'The device id is taken',
    meaning: 'A device with this id is enrolled, and not revoked. If it needs another token, ask for one.',
  },
  DEVICE_INACTIVE: {
    status: 409,
    title: 'The device is revoked',
    meaning: 'A revoked device is given no token. Enrol it again (`POST /devices` with its `id`), and it gets one.',
  },
  ALREADY_RESOLVED: {
    status: 409,
    title: 'The conflict is settled already',
    meaning: 'The conflict was settled otherwise, by a person, a rule or the heuristics. `resolution` says how.',
  },
  RESOLUTION_OVERTAKEN: {
    status: 409,
    title: 'The decision does not fit any more',
    meaning: 'What the ledger or the catalogue has become since does not allow this decision; `detail` says why.',
  },
  TENANT_NOT_SUSPENDED: {
    status: 409,
    title: 'The tenant is not suspended',
    meaning: 'Only a suspended tenant can be deleted: suspend it first, and see whether somebody misses it.',
  },
  TENANT_DELETED: {
    status: 409,
    title: 'The tenant is deleted',
    meaning: 'The tenant was deleted, or is being deleted. There is no way back, and its id is not used again.',
  },
  TENANT_EXISTS: { status: 409, title: 'The tenant id is taken', meaning: 'A tenant with this id exists already.' },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than 5 MiB',
    meaning:
      'A body may have at most 5 MiB (5,242,880 bytes), before and after it is unpacked, and more than 64 KiB of it may ' +
      'not come out of less than a hundredth. Split the push.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The body is not application/json',
    meaning: 'Bodies are taken as `application/json` only, as they are or with `Content-Encoding: gzip`.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive',
    meaning: 'The head or the body did not arrive in time; the connection is closed. Nothing was recorded: try again.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The head of the request is too large',
    meaning: 'Request line and headers together have more than 16 KiB; the connection is closed.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    title: 'The protocol version is not spoken here',
    meaning:
      '`protocol_version` is newer than the server or older than it still speaks; both bounds are in the answer.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The device, its business, or an address without a valid token has sent more requests in a minute than it may. ' +
      'Nothing was recorded: try again after `Retry-After`.',
  },
  TOO_MANY_STREAMS: {
    status: 429,
    title: 'Too many streams at once',
    meaning: 'As many streams of this kind are open as may be at once. Close one, or try again after `Retry-After`.',
  },
  INTERNAL: {
    status: 500,
    title: 'The service failed',
    meaning: 'A fault of the service; `instance` finds it in the log. Nothing was recorded: try again.',
  },
  UNAVAILABLE: {
    status: 503,
    title: 'Not available at the moment',
    meaning:
      'The database or the queue is out of reach, or the tenant is busy. Nothing was recorded: try again after `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; title: string; meaning: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field that is wrong. `path` is as in the request, such as `operations[3].delta`. */
export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Refuses the request as a whole. Anything may throw it; one filter answers it (RFC 9457). */
export class ProblemError extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly details: {
      /** For people, about this occurrence; must not tell more than the caller may know. */
      readonly detail?: string;
      readonly errors?: readonly FieldError[];
      /** Further members of the problem document. */
      readonly extensions?: Readonly<Record<string, unknown>>;
      /** When to try again, where that is known; else a few seconds are named with 429 and 503. */
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(details.detail ?? PROBLEMS[code].title, { cause: details.cause });
    this.name = 'ProblemError';
  }
}

/** RFC 9457's `type`: a name, not an address, so that it never breaks. */
export function problemType(code: ProblemCode): string {
  return `urn:problem-type:agrotour:${code.toLowerCase().replaceAll('_', '-')}`;
}
