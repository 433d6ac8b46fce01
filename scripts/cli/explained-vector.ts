/** The shape of an answer that was asked to explain itself. */

export interface ExplainedVector {
  readonly result: { readonly features: readonly unknown[] };
  readonly metadata: {
    readonly features: readonly {
      readonly name: string;
      readonly effectiveTime?: string;
      readonly explain: ExplainedFeature;
    }[];
    readonly explain: ExplainedRequest;
  };
}

export interface ExplainedFeature {
  readonly status: string;
  readonly reasons?: readonly string[];
  readonly windows?: readonly ExplainedWindow[];
  readonly windowsLeftOut?: number;
  readonly secondaryKeyCount?: number;
  readonly row?: ExplainedRow;
  readonly hasRun?: boolean;
  readonly tookMs?: number;
  readonly requestValues?: readonly string[];
  readonly inputs?: readonly {
    readonly name: string;
    readonly view: string;
    readonly features: readonly string[];
  }[];
}

export interface Bounds {
  readonly startTime?: string;
  readonly endTime?: string;
}

export interface ExplainedWindow extends Bounds {
  readonly used?: Bounds;
  readonly entered: readonly {
    readonly origin: string;
    readonly tileCount: number;
    readonly eventCount: number;
    readonly valueCount: number | null;
  }[];
}

export interface ExplainedRow {
  readonly time: string;
  readonly origin: string;
  readonly ttlMs?: number;
  readonly expiresAt?: string;
}

export interface ExplainedRequest {
  readonly now: string;
  readonly combineMs: number;
  readonly transformMs: number;
  readonly stores: readonly {
    readonly home: string;
    readonly store?: string;
    readonly callCount: number;
    readonly keyCount: number;
    readonly sizeBytes: number;
    readonly tookMs: number;
    readonly stale: boolean;
    readonly failed?: boolean;
  }[];
  readonly views: readonly ExplainedView[];
}

export interface Cover {
  readonly tileCount: number;
  readonly rawEventCount: number;
}

export interface ExplainedView {
  readonly view: string;
  readonly kind: string;
  readonly fingerprint: string;
  readonly cachedAt?: string;
  readonly cachedAgeMs?: number;
  readonly staleness?: { readonly asOf: string; readonly reason: string };
  readonly deleted?: boolean;
  readonly batch?: ExplainedBatch | null;
  readonly stream?: ExplainedStream | null;
  readonly region?: { readonly asOf?: string; readonly cut?: number; readonly floor?: number };
  readonly lateEventsWaiting?: number;
}

export interface ExplainedBatch extends Cover {
  readonly sizeBytes: number;
  readonly cut: number;
  readonly watermark: string;
  readonly watermarkAgeMs: number;
  readonly sealedAt: string;
  readonly exactUntil?: string;
  readonly eventCount: number;
}

export interface ExplainedStream {
  readonly sizeBytes: number;
  readonly collectedEpoch: number;
  readonly positions: Readonly<Record<string, number>>;
  readonly epochs: readonly (Cover & {
    readonly epoch: number;
    readonly startedAt: string;
    readonly pastCut: boolean;
  })[];
}
