/** An explained feature vector as a tree for people: the request, then each view with its features. */

import type {
  Bounds,
  ExplainedFeature,
  ExplainedRequest,
  ExplainedRow,
  ExplainedVector,
  ExplainedView,
  ExplainedWindow,
} from "./explained-vector.ts";
import { amount, durationText, recordNodes } from "./record-nodes.ts";
import { treeLines } from "./tree-lines.ts";
import type { TreeNode } from "./tree-lines.ts";

export type { ExplainedVector } from "./explained-vector.ts";

interface NamedFeature {
  readonly view: string;
  readonly name: string;
  readonly value: unknown;
  readonly effectiveTime: string | undefined;
  readonly explain: ExplainedFeature;
}

export function explainLines(service: string, vector: ExplainedVector): readonly string[] {
  const { explain } = vector.metadata;
  const features = vector.metadata.features.map(({ name, effectiveTime, explain: own }, i) => {
    const dot = name.indexOf(".");
    const value = vector.result.features[i];
    return {
      view: name.slice(0, dot),
      name,
      value,
      effectiveTime,
      explain: own,
    };
  });
  const recordViews = new Set(explain.views.map(({ view }) => view));
  const onDemand = [...new Set(features.map(({ view }) => view))].filter(
    (view) => !recordViews.has(view),
  );
  const of = (view: string) => features.filter((feature) => feature.view === view);
  return treeLines({
    text: `${service}, asked at ${explain.now}`,
    children: [
      requestNode(explain),
      ...onDemand.map((view) => onDemandNode(view, of(view))),
      ...explain.views.map((view) => viewNode(view, of(view.view))),
    ],
  });
}

function requestNode({ stores, combineMs, transformMs }: ExplainedRequest): TreeNode {
  const text = `combined in ${combineMs} ms, transformed in ${transformMs} ms`;
  if (stores.length === 0) return { text: `no store was read, ${text}` };
  const children = stores.map((trip) => {
    const { home, store, callCount, keyCount, sizeBytes, tookMs, stale, failed = false } = trip;
    const name = store === undefined ? `${home} records` : `${home} records (${store})`;
    const counts = [amount(callCount, "call"), amount(keyCount, "key"), amount(sizeBytes, "byte")];
    const words = [...(stale ? ["STALE"] : []), ...(failed ? ["FAILED"] : [])];
    return { text: [`${name}: ${counts.join(", ")}`, `${tookMs} ms`, ...words].join(", ") };
  });
  return { text: `read ${amount(stores.length, "home")}, ${text}`, children };
}

function onDemandNode(view: string, features: readonly NamedFeature[]): TreeNode {
  const {
    hasRun = false,
    tookMs = 0,
    requestValues = [],
    inputs = [],
  } = features[0]?.explain ?? {};
  return {
    text: `${view}  (on demand) ${hasRun ? `ran in ${tookMs} ms` : "DID NOT RUN"}`,
    children: [
      ...(requestValues.length > 0
        ? [{ text: `request values: ${requestValues.join(", ")}` }]
        : []),
      ...inputs.map(({ name, view: of, features: looked }) => ({
        text: `input ${name} (${of}): looked at ${looked.length === 0 ? "nothing" : looked.join(", ")}`,
      })),
      ...features.map(featureNode),
    ],
  };
}

function viewNode(view: ExplainedView, features: readonly NamedFeature[]): TreeNode {
  const kind = view.kind === "streamView" ? "stream view" : "batch view";
  const words = [
    ...(view.deleted === true ? ["DELETED"] : []),
    ...(view.cachedAgeMs === undefined ? [] : [`CACHED ${durationText(view.cachedAgeMs)} ago`]),
    ...(view.staleness === undefined ? [] : [`STALE as of ${view.staleness.asOf}`]),
  ];
  return {
    text: [`${view.view}  (${kind} ${view.fingerprint})`, ...words].join(", "),
    children: [...recordNodes(view), ...features.map(featureNode)],
  };
}

function featureNode({ name, value, effectiveTime, explain }: NamedFeature): TreeNode {
  const { status, reasons = [], windows = [], windowsLeftOut = 0, row } = explain;
  const time = effectiveTime === undefined ? "" : `  at ${effectiveTime}`;
  const keys =
    explain.secondaryKeyCount === undefined ? "" : `  ${amount(explain.secondaryKeyCount, "key")}`;
  return {
    text: `${name} = ${JSON.stringify(value)}  ${status}${time}${keys}`,
    children: [
      ...reasons.map((reason) => ({ text: `! ${reason}` })),
      ...(row === undefined ? [] : [{ text: rowText(row) }]),
      ...(windowsLeftOut > 0
        ? [{ text: `${amount(windowsLeftOut, "older window")} left out` }]
        : []),
      ...windows.map(windowNode),
    ],
  };
}

function rowText({ time, origin, ttlMs, expiresAt }: ExplainedRow): string {
  const from = `row of ${time}, ${origins[origin] ?? origin}`;
  return ttlMs === undefined
    ? `${from}, kept as long as it is the newest`
    : `${from}, expires at ${expiresAt} (ttl ${durationText(ttlMs)})`;
}

function windowNode({ used, entered, ...asked }: ExplainedWindow): TreeNode {
  const rounded = used === undefined ? "" : `, ROUNDED to ${boundsText(used)}`;
  const children = entered.map(({ origin, tileCount, eventCount, valueCount }) => {
    const values = valueCount === null ? "values not counted" : amount(valueCount, "value");
    const parts = tileCount > 0 ? [amount(tileCount, "tile")] : [];
    if (eventCount > 0) parts.push(amount(eventCount, "raw event"));
    return { text: `${origins[origin] ?? origin}: ${values}, in ${parts.join(" and ")}` };
  });
  const nothing = children.length === 0 ? ": nothing entered" : "";
  return { text: `${boundsText(asked)}${rounded}${nothing}`, children };
}

/** What came after the batch record's cut, and from before its watermark, is late. */
const origins: Readonly<Record<string, string>> = {
  batch: "from the batch record",
  stream: "from the stream",
  late: "late, from the stream",
};

function boundsText({ startTime = "the beginning", endTime = "the end" }: Bounds): string {
  return `[${startTime}, ${endTime})`;
}
