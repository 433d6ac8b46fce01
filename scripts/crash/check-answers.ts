/** Asks a server for every view of every entity of the workload, and compares with the model. */

import type { ServiceDefinition, ViewDefinition } from "../../src/define/definition.ts";
import { everyView } from "./features.ts";
import { compareAnswer } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { expectedAnswers } from "./expected-answers.ts";
import type { JoinKeys, WorkloadEvent } from "./expected-answers.ts";
import { sendRequest } from "./send-request.ts";
import { events } from "./workload.ts";

/** What a batch view knows: the events that a compaction covered, up to its instant. */
export interface Covered {
  readonly events: readonly WorkloadEvent[];
  readonly atMs: number;
}

export interface Expectation {
  readonly nowMs: number;
  /** What every stream view must know. */
  readonly events: readonly WorkloadEvent[];
  /** An entity of a batch view knows one of these: two, while a compaction is publishing. */
  readonly covered: readonly Covered[];
}

const service: ServiceDefinition = everyView;

/** Every fault of every answer. */
export async function checkAnswers(url: string, expectation: Expectation): Promise<Fault[]> {
  const faults = await Promise.all(
    joinKeysOf(expectation).map(async (joinKeys) => {
      const answers = await ask(url, joinKeys, expectation.nowMs);
      return service.views.flatMap((view) => checkView(view, { joinKeys, answers, expectation }));
    }),
  );
  return faults.flat();
}

function checkView(
  view: ViewDefinition,
  check: {
    readonly joinKeys: JoinKeys;
    readonly answers: ReadonlyMap<string, unknown>;
    readonly expectation: Expectation;
  },
): Fault[] {
  const { joinKeys, answers, expectation } = check;
  const known =
    view.kind === "batchView"
      ? expectation.covered.map(({ events, atMs }) => ({ events, nowMs: atMs }))
      : [{ events: expectation.events, nowMs: expectation.nowMs }];
  const entity = view.joinKeys.map(({ name }) => joinKeys[name]).join(" ");
  const candidates = known.map((each) => {
    const expected = expectedAnswers(view, { ...each, joinKeys });
    return view.features.flatMap(({ name }, i) => {
      const at = `${view.name} of ${entity}, ${name}`;
      return compareAnswer(at, expected[i], answers.get(`${view.name}.${name}`)) ?? [];
    });
  });
  return candidates.find((faults) => faults.length === 0) ?? candidates.at(-1) ?? [];
}

/** The join keys of every event of the workload, known or not, each pair once. */
function joinKeysOf(expectation: Expectation): JoinKeys[] {
  const rows = [...Object.values(events).flat(), ...expectation.events];
  const pairs = rows.map(({ user_id, group_id }): [string, JoinKeys] => [
    `${user_id} ${group_id}`,
    { user_id, group_id },
  ]);
  return [...new Map(pairs).values()];
}

async function ask(
  url: string,
  joinKeyMap: JoinKeys,
  nowMs: number,
): Promise<ReadonlyMap<string, unknown>> {
  const params = {
    workspaceName: "prod",
    featureServiceName: service.name,
    joinKeyMap,
    metadataOptions: { includeNames: true },
  };
  const response = await sendRequest(`${url}/api/v1/feature-service/get-features`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-tilemark-now": String(nowMs) },
    body: JSON.stringify({ params }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot ask for features: ${response.status} ${text}`);
  const { result, metadata } = JSON.parse(text) as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: { readonly features: readonly { readonly name: string }[] };
  };
  return new Map(metadata.features.map(({ name }, i) => [name, result.features[i]]));
}
