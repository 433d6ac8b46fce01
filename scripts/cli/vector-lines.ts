/** A feature vector as a table for people: a feature a line, with what is to be known of its value. */

export interface FeatureVector {
  readonly result: { readonly features: readonly unknown[] };
  readonly metadata: { readonly features: readonly FeatureMetadata[] };
}

interface FeatureMetadata {
  readonly name: string;
  readonly status: string;
  readonly effectiveTime?: string;
  /** Only where the value is not all that it should be. */
  readonly details?: FeatureDetails;
}

interface FeatureDetails {
  readonly stale?: true;
  readonly asOf?: string;
  readonly gap?: true;
  readonly behind?: true;
  readonly degraded?: true;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly lateEventsWaiting?: number;
  readonly reason?: string;
}

export function vectorLines({ result, metadata }: FeatureVector): readonly string[] {
  const width = Math.max(...metadata.features.map(({ name }) => name.length));
  return metadata.features.map(({ name, status, effectiveTime, details }, i) => {
    const note = status === "PRESENT" ? "" : `  ${status}`;
    const time = effectiveTime === undefined ? "" : `  at ${effectiveTime}`;
    const more = details === undefined ? "" : `  ${detailsText(details)}`;
    return `${name.padEnd(width)}  ${JSON.stringify(result.features[i])}${note}${time}${more}`;
  });
}

/** As `stale as of 2026-01-01T00:00:00Z, gap: why`; some faults have a reason and no word. */
function detailsText(details: FeatureDetails): string {
  const { stale, asOf, gap, behind, degraded, lateEventsWaiting, reason } = details;
  const words = [
    ...(stale === true ? [`stale as of ${asOf}`] : []),
    ...(gap === true ? ["gap"] : []),
    ...(behind === true ? ["behind"] : []),
    ...(degraded === true ? [degradedText(details)] : []),
    ...(lateEventsWaiting === undefined ? [] : [`late events waiting: ${lateEventsWaiting}`]),
  ].join(", ");
  return [words, reason ?? ""].filter((text) => text !== "").join(": ");
}

/** A window of a lifetime has no start. */
function degradedText({ startTime, endTime }: FeatureDetails): string {
  return `degraded, exact ${startTime === undefined ? "" : `from ${startTime} `}to ${endTime}`;
}
