/** Errors with a stable code. HTTP status is decided in `http/errors.ts` alone. */

export type ErrorCode =
  | "INVALID_DEFINITION"
  | "INVALID_REQUEST"
  | "INVALID_RECORD"
  | "NOT_FOUND"
  | "NOT_ACCEPTABLE"
  | "TOO_LATE"
  | "TOO_LARGE"
  | "FAILED_PRECONDITION"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "FENCED"
  | "CONFLICT"
  | "KEY_REUSED"
  | "RESOURCE_EXHAUSTED"
  | "OVERLOADED"
  | "DEADLINE_EXCEEDED"
  | "OVERFLOW"
  | "CORRUPT_RECORD"
  | "STORE_UNAVAILABLE"
  | "TRANSFORM_FAILED"
  | "INTERNAL";

/** Base of every error a caller may see. `retryable`: the same call may succeed later. */
export class FeatureError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: FeatureErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "FeatureError";
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

export interface FeatureErrorOptions {
  readonly cause?: unknown;
  readonly retryable?: boolean;
}

/** A definition that cannot work; the message names the object, the field and the mend. */
export class DefinitionError extends FeatureError {
  constructor(message: string) {
    super("INVALID_DEFINITION", message);
    this.name = "DefinitionError";
  }
}

/** Bytes that are not what a writer of this version wrote. */
export class CorruptRecordError extends FeatureError {
  constructor(message: string, options: FeatureErrorOptions = {}) {
    super("CORRUPT_RECORD", message, options);
    this.name = "CorruptRecordError";
  }
}

/** An answer outside its type's range: past int64 or past double. */
export class OverflowError extends FeatureError {
  constructor(message: string) {
    super("OVERFLOW", message);
    this.name = "OverflowError";
  }
}

/** Throws when something that must hold does not: a bug, never a caller's mistake. */
export function assert(condition: unknown, shouldHold: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${shouldHold}`);
}
