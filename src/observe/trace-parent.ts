/** The trace that a request is part of, as its `traceparent` header says. */

export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Bit 0: whether the caller records its spans. */
  readonly flags: number;
}

const pattern =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/**
 * Null for a header that is not one: the request begins a trace of its own then. A later version may
 * have more fields, the first has none.
 *
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function readTraceParent(header: string | null): TraceParent | null {
  const [, version, traceId, spanId, flags, more] = pattern.exec(header?.trim() ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "00" && more !== undefined) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}
